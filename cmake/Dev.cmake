# SPDX-License-Identifier: Apache-2.0
# The component libpowerctl-dev: what a driver or a program outside this tree is built with. Headers,
# powerctl.pc (variables plugindir and abi), and a CMake package with powerctl::powerctl,
# powerctl::powerctl_http and powerctl_add_driver(). All of it finds the rest relative to itself, so
# that an installed tree can move.
include(CMakePackageConfigHelpers)
set(dev_cmake_dir ${CMAKE_INSTALL_LIBDIR}/cmake/powerctl)
set(dev_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

# The contract's number is the header's.
file(STRINGS ${PROJECT_SOURCE_DIR}/include/powerctl/driver.h dev_abi_line
  REGEX "^#define PCTL_DRIVER_ABI [0-9]+u$")
string(REGEX REPLACE "[^0-9]" "" POWERCTL_ABI "${dev_abi_line}")
if(POWERCTL_ABI STREQUAL "")
  message(FATAL_ERROR "driver.h has no line #define PCTL_DRIVER_ABI <number>u")
endif()
file(RELATIVE_PATH POWERCTL_PREFIX_FROM_PC
  ${CMAKE_INSTALL_PREFIX}/${dev_pc_dir} ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" POWERCTL_PREFIX_FROM_PC ${POWERCTL_PREFIX_FROM_PC})

configure_file(${CMAKE_CURRENT_LIST_DIR}/powerctl.pc.in ${PROJECT_BINARY_DIR}/powerctl.pc @ONLY)
configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/powerctlConfig.cmake.in
  ${PROJECT_BINARY_DIR}/powerctlConfig.cmake INSTALL_DESTINATION ${dev_cmake_dir}
  PATH_VARS POWERCTL_PLUGIN_DIR)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/powerctlConfigVersion.cmake
  COMPATIBILITY SameMajorVersion)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/powerctl DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT libpowerctl-dev)
install(FILES ${PROJECT_BINARY_DIR}/powerctl.pc DESTINATION ${dev_pc_dir}
  COMPONENT libpowerctl-dev)
if(TARGET powerctl_http)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/powerctl-http.pc.in
    ${PROJECT_BINARY_DIR}/powerctl-http.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/powerctl-http.pc DESTINATION ${dev_pc_dir}
    COMPONENT libpowerctl-dev)
endif()
install(FILES ${PROJECT_BINARY_DIR}/powerctlConfig.cmake
  ${PROJECT_BINARY_DIR}/powerctlConfigVersion.cmake
  DESTINATION ${dev_cmake_dir} COMPONENT libpowerctl-dev)
install(EXPORT powerctlTargets NAMESPACE powerctl:: DESTINATION ${dev_cmake_dir}
  COMPONENT libpowerctl-dev)
