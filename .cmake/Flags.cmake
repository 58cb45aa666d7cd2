# Compiler and linker flags of every target, set once.
include_guard(GLOBAL)

option(EPLAN_SEAMS "compile the test seams (clock, random bytes, failpoints ...) in; never in a release" OFF)
option(EPLAN_COVERAGE "count line and branch coverage" OFF)
option(EPLAN_FUZZ "build the libFuzzer targets (needs clang)" OFF)
set(EPLAN_SANITIZE "" CACHE STRING "sanitizers, as -fsanitize= takes them; empty for none")

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

add_library(eplan_flags INTERFACE)
target_compile_definitions(eplan_flags INTERFACE _GNU_SOURCE
  $<$<BOOL:${EPLAN_SEAMS}>:EPLAN_SEAMS=1>
  EPLAN_VERSION="${PROJECT_VERSION}")
target_compile_options(eplan_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
  -Wwrite-strings -Wundef -Wformat=2 -Wvla -Werror
  -fno-common -fstack-protector-strong -fno-strict-overflow
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}=.)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(eplan_flags INTERFACE -fstack-clash-protection -fcf-protection=full)
endif()
target_link_options(eplan_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)

if(EPLAN_SANITIZE)
  target_compile_options(eplan_flags INTERFACE -fsanitize=${EPLAN_SANITIZE}
    -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(eplan_flags INTERFACE -fsanitize=${EPLAN_SANITIZE})
elseif(CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(eplan_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(EPLAN_COVERAGE)
  target_compile_options(eplan_flags INTERFACE --coverage)
  target_link_options(eplan_flags INTERFACE --coverage)
endif()
if(EPLAN_FUZZ)
  # Every object is instrumented; only the fuzz targets themselves link the fuzzer's main.
  target_compile_options(eplan_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
