# SPDX-License-Identifier: Apache-2.0
# cmake -DOUT=x.c -DFOLDER=dir -P Embed.cmake: the files of a folder as bytes in one C file, which defines
# embedded_files[] as cli/embedded.h declares it. Their names lose the .in at the end.
file(GLOB names RELATIVE ${FOLDER} ${FOLDER}/*.in)
list(SORT names)
set(text "/* Made by cmake/Embed.cmake. */\n#include \"embedded.h\"\n")
set(rows "")
set(i 0)
foreach(name ${names})
  file(READ ${FOLDER}/${name} hex HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${hex}")
  string(REGEX REPLACE "(0x..,0x..,0x..,0x..,0x..,0x..,0x..,0x..,)" "\\1\n" bytes "${bytes}")
  string(REGEX REPLACE "\\.in$" "" name ${name})
  string(APPEND text "static const char file_${i}[] = {\n${bytes}0\n};\n")
  string(APPEND rows "\t{ \"${name}\", file_${i} },\n")
  math(EXPR i "${i} + 1")
endforeach()
string(APPEND text "const struct embedded_file embedded_files[] = {\n${rows}\t{ 0, 0 },\n};\n")
file(WRITE ${OUT} "${text}")
