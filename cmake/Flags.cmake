# SPDX-License-Identifier: Apache-2.0
# The flags every target of ours is built with: target_link_libraries(x PRIVATE powerctl_flags)
add_library(powerctl_flags INTERFACE)
target_compile_definitions(powerctl_flags INTERFACE _GNU_SOURCE $<$<CONFIG:Debug>:PCTL_DEBUG>)
target_compile_options(powerctl_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wundef -Wvla -Wformat=2 -Wwrite-strings -Wcast-qual
  -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough -Wnull-dereference
  $<$<C_COMPILER_ID:GNU>:-Wlogical-op -Wduplicated-cond>
  -fno-common -fno-strict-aliasing
  "SHELL:-include ${PROJECT_SOURCE_DIR}/cmake/banned.h"
  -UNDEBUG)  # asserts stay, in every build
option(POWERCTL_HARDEN "Hardening flags (a distribution sets its own)" ON)
if(POWERCTL_HARDEN)
  target_compile_options(powerctl_flags INTERFACE
    -fstack-protector-strong -fstack-clash-protection
    $<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
  target_link_options(powerctl_flags INTERFACE LINKER:-z,relro,-z,now)
endif()
set(POWERCTL_SANITIZE "" CACHE STRING "e.g. address,undefined or thread")
if(POWERCTL_SANITIZE)
  add_compile_options(-fsanitize=${POWERCTL_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${POWERCTL_SANITIZE})
else()
  add_link_options(LINKER:--no-undefined)  # clang sanitizers need the opposite
endif()
