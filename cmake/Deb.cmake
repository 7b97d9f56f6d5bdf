# SPDX-License-Identifier: Apache-2.0
# The packages of Debian, by CPack: `make deb` (preset deb). Each is a group of install components; what each needs
# beside the libraries that dpkg-shlibdeps finds is said below. The version is that of contrib/deb/changelog,
# DebStage.cmake adds what Debian wants in every package.
set(deb_folder ${PROJECT_SOURCE_DIR}/contrib/deb)
file(STRINGS ${deb_folder}/changelog deb_newest LIMIT_COUNT 1)
if(NOT deb_newest MATCHES "^powerctl \\((${PROJECT_VERSION}-[0-9][0-9A-Za-z.+~]*)\\) ")
  message(FATAL_ERROR "contrib/deb/changelog begins with another version than ${PROJECT_VERSION}, which is"
    " CMakeLists.txt's: '${deb_newest}'. A new version has an entry of its own there")
endif()
set(deb_version ${CMAKE_MATCH_1})
file(STRINGS ${deb_folder}/changelog deb_maintainer REGEX "^ -- " LIMIT_COUNT 1)
string(REGEX REPLACE "^ -- (.*>)  .*" "\\1" deb_maintainer "${deb_maintainer}")

# deb_package(powerctl-amt SECTION admin COMPONENTS ... [DEPENDS ...] [RECOMMENDS ...] [SUGGESTS ...]
#   [CONTROL file...] SUMMARY "one line" TEXT "more of them")
# In DEPENDS and RECOMMENDS a name with = behind it is one of these packages, in the same version.
function(deb_package name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "SECTION;SUMMARY;TEXT"
    "COMPONENTS;DEPENDS;RECOMMENDS;SUGGESTS;CONTROL")
  string(TOUPPER ${name} key)
  foreach(what DEPENDS RECOMMENDS SUGGESTS)
    list(TRANSFORM arg_${what} REPLACE "=$" " (= ${deb_version})")
    list(JOIN arg_${what} ", " arg_${what})
    set(CPACK_DEBIAN_${key}_PACKAGE_${what} "${arg_${what}}" PARENT_SCOPE)
  endforeach()
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_SECTION ${arg_SECTION} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA "${arg_CONTROL}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_DESCRIPTION "${arg_SUMMARY}\n${arg_TEXT}" PARENT_SCOPE)
  set(deb_packages ${deb_packages} ${name} PARENT_SCOPE)
  set(deb_components_${name} ${arg_COMPONENTS} PARENT_SCOPE)
endfunction()

# A library's package says by itself which programs need it in which version (shlibs), and has the loader told by a
# trigger. CPack would write a postinst and a postrm that call ldconfig too, unless the package has its own; what is
# named but not there counts as such, and is left out.
function(deb_library name library soname)
  set(place ${PROJECT_BINARY_DIR}/deb/${name})
  file(WRITE ${place}/shlibs "${library} ${soname} ${name} (>= ${PROJECT_VERSION})\n")
  file(WRITE ${place}/triggers "activate-noawait ldconfig\n")
  set(deb_control ${place}/shlibs ${place}/triggers ${place}/postinst ${place}/postrm PARENT_SCOPE)
endfunction()

set(deb_about "powerctl turns machines on and off, restarts them and boots them from the\n\
network, one or ten thousand, whatever management processor they carry.")
# The driver null is a machine in memory, without any need: with it there is one to try the program on.
deb_package(powerctl SECTION admin COMPONENTS powerctl driver-null
  CONTROL ${deb_folder}/postinst ${deb_folder}/postrm
  DEPENDS libpowerctl0= adduser
  RECOMMENDS powerctl-amt= powerctl-exec= powerctl-ipmi= powerctl-redfish= powerctl-wol=
  SUGGESTS powerctl-fence powerctl-hooks openssh-client bash-completion
  SUMMARY "power manager for many kinds of machines"
  TEXT "${deb_about}\n\
What it prints is what the hardware last said: a machine that cannot be\n\
reached is unknown, never off.\n\
.\n\
How to talk to a kind of machine is a driver's business; each is in a package\n\
of its own. This one has the command and a driver for a machine in memory, to\n\
try it with.")
deb_package(powerctl-hooks SECTION admin COMPONENTS hooks DEPENDS powerctl= python3
  SUMMARY "power manager for many kinds of machines - for other programs"
  TEXT "${deb_about}\n.\n\
This is what other programs need to call it: a fence agent for Pacemaker and\n\
Cobbler, a device file for powerman, and more in /usr/share/powerctl.")
deb_library(libpowerctl0 libpowerctl 0)
deb_package(libpowerctl0 SECTION libs COMPONENTS libpowerctl CONTROL ${deb_control}
  SUMMARY "power manager for many kinds of machines - library"
  TEXT "${deb_about}\n.\n\
This is the library that the command and the drivers share.")
deb_package(libpowerctl-dev SECTION libdevel COMPONENTS libpowerctl-dev dev
  DEPENDS libpowerctl0= libpowerctl-http0= libuv1-dev RECOMMENDS powerctl=
  SUMMARY "power manager for many kinds of machines - for authors of drivers"
  TEXT "${deb_about}\n.\n\
This is what a driver or a program of your own is built with: headers,\n\
pkg-config and CMake files, and powerctl-driver-check, which holds a driver to\n\
its contract.")

if(TARGET powerctl_http)
  deb_library(libpowerctl-http0 libpowerctl-http 0)
  deb_package(libpowerctl-http0 SECTION libs COMPONENTS libpowerctl-http CONTROL ${deb_control}
    DEPENDS libpowerctl0=
    SUMMARY "power manager for many kinds of machines - HTTP for drivers"
    TEXT "${deb_about}\n.\n\
This is the library of those drivers that speak HTTP.")
endif()

# deb_driver(amt "Intel AMT" "text" [DEPENDS ...] [RECOMMENDS ...])
macro(deb_driver name summary text)
  if(NOT TARGET driver_${name})
    message(FATAL_ERROR "The driver ${name} cannot be built here, and `make deb` makes all packages or none."
      " scripts/deps build deb installs what that takes")
  endif()
  deb_package(powerctl-${name} SECTION admin COMPONENTS driver-${name}
    SUMMARY "power manager for many kinds of machines - ${summary}" TEXT "${deb_about}\n.\n${text}"
    DEPENDS powerctl= libpowerctl0= ${ARGN})
endmacro()
deb_driver(amt "Intel AMT" "\
This driver speaks WS-Management with Intel AMT, the management engine of vPro\n\
machines." libpowerctl-http0=)
deb_driver(exec "own programs" "\
This driver asks a program of yours, in any language. Two of them are in\n\
/usr/share/powerctl/exec: relays by shell, and Tasmota's sockets in Python." RECOMMENDS python3)
deb_driver(fence "fence agents" "\
This driver uses fence agents: power strips, management processors,\n\
hypervisors, clouds." RECOMMENDS fence-agents)
deb_driver(ipmi "IPMI" "\
This driver speaks IPMI 2.0 and 1.5 over LAN with the BMCs of servers. It\n\
stands on FreeIPMI and is under the GNU General Public License, as that is.")
deb_driver(redfish "Redfish" "\
This driver speaks Redfish with the BMCs of servers of all makers." libpowerctl-http0=)
deb_driver(wol "Wake-on-LAN" "\
This driver turns machines on by magic packets, and learns by ping or a TCP\n\
port whether they are on.")

set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_VERSION ${deb_version})
set(CPACK_DEBIAN_PACKAGE_SOURCE powerctl)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${deb_maintainer}")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/DebStage.cmake)
set(CPACK_POWERCTL_SOURCE ${PROJECT_SOURCE_DIR}) # for that script
set(CPACK_POWERCTL_PACKAGES ${deb_packages})
set(CPACK_COMPONENTS_ALL "")
foreach(name ${deb_packages})
  list(APPEND CPACK_COMPONENTS_ALL ${deb_components_${name}})
endforeach()
get_cmake_property(deb_forgotten COMPONENTS)
list(REMOVE_ITEM deb_forgotten ${CPACK_COMPONENTS_ALL} Unspecified sim) # stand-ins are for tests
if(deb_forgotten)
  message(FATAL_ERROR "These install components are in no package of cmake/Deb.cmake: ${deb_forgotten}")
endif()
include(CPack)
foreach(name ${deb_packages})
  cpack_add_component_group(${name})
  foreach(component ${deb_components_${name}})
    cpack_add_component(${component} GROUP ${name})
  endforeach()
endforeach()
