# SPDX-License-Identifier: Apache-2.0
# powerctl_add_man(powerctl.1.scd [COMPONENT name] [DRIVER amt]): builds and installs a manual page, where
# scdoc is. With DRIVER its line {{settings}} becomes the list of that driver's settings, as the built
# program prints it from the property table: the two cannot differ.
find_program(SCDOC scdoc)
function(powerctl_add_man source)
  if(NOT SCDOC)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "COMPONENT;DRIVER" "")
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT powerctl)
  endif()
  get_filename_component(page ${source} NAME_WLE)
  string(REGEX REPLACE ".*\\." "" section ${page})
  set(out ${PROJECT_BINARY_DIR}/man/${page})
  set(settings "")
  set(depends "")
  if(arg_DRIVER)
    set(settings $<TARGET_FILE:powerctl_cli> drivers --man ${arg_DRIVER})
    set(depends powerctl_cli driver_${arg_DRIVER})
  endif()
  add_custom_command(OUTPUT ${out}
    COMMAND ${PROJECT_SOURCE_DIR}/cmake/man.sh ${SCDOC} ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${out}
      ${settings}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${PROJECT_SOURCE_DIR}/cmake/man.sh ${depends} VERBATIM)
  add_custom_target(man_${page} ALL DEPENDS ${out})
  install(FILES ${out} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${arg_COMPONENT})
endfunction()
