# SPDX-License-Identifier: Apache-2.0
# Runs in cpack when the files of each package are in a folder of their own, and adds what Debian wants: the
# changelog, the copyright, overrides of lintian; manual pages are compressed.
set(deb ${CPACK_POWERCTL_SOURCE}/contrib/deb)

# Packs a file; neither its name nor the time are put into it. It leaves OUT.gz.
function(squeeze source out)
  get_filename_component(folder ${out} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND gzip -9nc ${source} OUTPUT_FILE ${out}.gz COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(package ${CPACK_POWERCTL_PACKAGES})
  set(usr ${CPACK_TEMPORARY_DIRECTORY}/${package}/usr)
  if(NOT IS_DIRECTORY ${usr})
    message(FATAL_ERROR "nothing was installed for the package ${package}: ${usr} is not there")
  endif()
  set(doc ${usr}/share/doc/${package})
  file(GLOB_RECURSE pages ${usr}/share/man/*)
  foreach(page ${pages})
    squeeze(${page} ${page})
    file(REMOVE ${page})
  endforeach()
  squeeze(${deb}/changelog ${doc}/changelog.Debian)
  set(copyright ${deb}/copyright)
  if(EXISTS ${copyright}.${package})
    set(copyright ${copyright}.${package})
  endif()
  file(COPY_FILE ${copyright} ${doc}/copyright)
  file(MAKE_DIRECTORY ${usr}/share/lintian/overrides)
  file(COPY_FILE ${deb}/lintian-overrides ${usr}/share/lintian/overrides/${package})
endforeach()

set(folder ${CPACK_TEMPORARY_DIRECTORY})
# The licence is one of Debian's common ones, to which the copyright file points.
file(REMOVE_RECURSE ${folder}/powerctl-ipmi/usr/share/doc/powerctl)
set(news ${folder}/powerctl/usr/share/doc/powerctl/NEWS.md)
squeeze(${news} ${news})
file(REMOVE ${news})
# zsh of Debian looks beside its own.
file(RENAME ${folder}/powerctl/usr/share/zsh/site-functions ${folder}/powerctl/usr/share/zsh/vendor-completions)
