# Compiler flags of every target. Per-file ISA flags are set beside the kernels that need them.

# The bits of a result must not depend on the optimiser (docs/NUMERICS.md): no contraction, no relaxed math.
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wimplicit-fallthrough -Werror
                    -ffp-contract=off -fno-math-errno -fno-trapping-math -fvisibility=hidden -fdiagnostics-color=auto)
# GCC 12 reports impossible sizes and offsets inside libstdc++'s string operators (GCC bugs 105329, 105651).
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-stringop-overflow -Wno-restrict -Wno-array-bounds)
endif()
add_compile_definitions(_GLIBCXX_ASSERTIONS)

# Hardening: checked libc calls (_FORTIFY_SOURCE below), stack protector, position independence, read-only relocations.
include(CheckPIESupported)
check_pie_supported()
add_compile_options(-fstack-protector-strong -fstack-clash-protection)
add_link_options(-Wl,-z,relro,-z,now -Wl,--as-needed)

set(CMAKE_CXX_FLAGS_RELEASE "-O3 -g1 -D_FORTIFY_SOURCE=2")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
# Sanitized builds run every test, so they are optimised too.
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1 -fno-omit-frame-pointer")

if(BALEEN_SANITIZE)
  add_compile_options(-fsanitize=${BALEEN_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${BALEEN_SANITIZE})
endif()
