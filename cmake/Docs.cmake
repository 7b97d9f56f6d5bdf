# SPDX-License-Identifier: Apache-2.0
# What is installed to be read beside the manual pages: as in this tree, so that every link from one to another holds
# and the names that manual pages give are found below share/doc/powerctl.
function(docs_install component)
  foreach(file ${ARGN})
    cmake_path(GET file PARENT_PATH folder)
    install(FILES ${PROJECT_SOURCE_DIR}/${file} DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder}
      COMPONENT ${component})
  endforeach()
endfunction()

file(GLOB docs_migrate RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS docs/migrate/*.md)
docs_install(powerctl NEWS.md docs/faces.md docs/hooks.md docs/json.md docs/names.md docs/powerctl-result.schema.json
  docs/troubleshooting.md ${docs_migrate} contrib/powerman/README.md contrib/xcat/README.md)
docs_install(dev docs/writing-a-driver.md)
install(FILES conf/powerctl.yaml DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples COMPONENT powerctl)
