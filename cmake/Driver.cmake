# SPDX-License-Identifier: Apache-2.0
# powerctl_add_driver(amt SOURCES amt.c wsman.c LIBRARIES powerctl_http PkgConfig::LIBXML2)
#
# Makes plugins/<name>.so, which exports pctl_driver and nothing else, as an install component of its
# own, and driver_<name>_test, the same objects as a static library for tests that look inside.
function(powerctl_add_driver name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBRARIES")
  add_library(driver_${name} MODULE ${arg_SOURCES})
  set_target_properties(driver_${name} PROPERTIES PREFIX "" OUTPUT_NAME ${name}
    LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/plugins
    INSTALL_RPATH "$ORIGIN/../lib;$ORIGIN/../..")
  target_include_directories(driver_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  target_link_libraries(driver_${name} PRIVATE powerctl_flags powerctl ${arg_LIBRARIES})
  install(TARGETS driver_${name} LIBRARY DESTINATION ${POWERCTL_PLUGIN_DIR} COMPONENT driver-${name})

  add_library(driver_${name}_test STATIC EXCLUDE_FROM_ALL $<TARGET_OBJECTS:driver_${name}>)
  set_target_properties(driver_${name}_test PROPERTIES LINKER_LANGUAGE C)
  target_include_directories(driver_${name}_test PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  target_link_libraries(driver_${name}_test PUBLIC powerctl_flags powerctl_test ${arg_LIBRARIES})
endfunction()
