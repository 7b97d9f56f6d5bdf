# SPDX-License-Identifier: Apache-2.0
# powerctl_add_man(powerctl.1.scd [COMPONENT name]): builds and installs a manual page, where scdoc is.
find_program(SCDOC scdoc)
function(powerctl_add_man source)
  if(NOT SCDOC)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "COMPONENT" "")
  if(NOT arg_COMPONENT)
    set(arg_COMPONENT powerctl)
  endif()
  get_filename_component(page ${source} NAME_WLE)
  string(REGEX REPLACE ".*\\." "" section ${page})
  set(out ${PROJECT_BINARY_DIR}/man/${page})
  add_custom_command(OUTPUT ${out}
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
    COMMAND sh -c "\"$0\" <\"$1\" >\"$2\"" ${SCDOC} ${CMAKE_CURRENT_SOURCE_DIR}/${source} ${out}
    DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${source} VERBATIM)
  add_custom_target(man_${page} ALL DEPENDS ${out})
  install(FILES ${out} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT ${arg_COMPONENT})
endfunction()
