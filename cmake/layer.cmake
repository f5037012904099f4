# baleen_layer(NAME DEPS...): a static library baleen_NAME of every .cc below the current folder.
# Headers are included as "layer/file.h". docs/LAYERS.txt says which layers may see which.
function(baleen_layer name)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  list(FILTER sources EXCLUDE REGEX "/main/main.cc$")
  set(visibility PUBLIC)
  if(sources)
    add_library(baleen_${name} STATIC ${sources})
  else()  # a layer that has only headers so far
    add_library(baleen_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(baleen_${name} ${visibility} ${CMAKE_SOURCE_DIR}/src)
  foreach(dep ${ARGN})
    target_link_libraries(baleen_${name} ${visibility} baleen_${dep})
  endforeach()
endfunction()

# baleen_test(LAYER DEPS...): the program test_LAYER of every .cc in the current folder, run by ctest.
function(baleen_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  add_executable(test_${name} ${sources})
  foreach(dep ${ARGN})
    target_link_libraries(test_${name} PRIVATE baleen_${dep})
  endforeach()
  target_include_directories(test_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/tests)
  target_compile_definitions(test_${name} PRIVATE BALEEN_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  target_link_libraries(test_${name} PRIVATE GTest::gmock_main)
  # The code under test keeps its optimisation; the tests themselves are read once and compiled often.
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Release>:-O1> $<$<CONFIG:Sanitize>:-O0>)
  # GCC loses track of what is initialised in instrumented code; std::regex is an example.
  target_compile_options(test_${name} PRIVATE $<$<CONFIG:Sanitize>:-Wno-maybe-uninitialized>)
  # The first test program's precompiled headers are every one's.
  get_property(first GLOBAL PROPERTY BALEEN_TEST_HEADERS)
  if(first)
    target_precompile_headers(test_${name} REUSE_FROM ${first})
  else()
    target_precompile_headers(test_${name} PRIVATE <gtest/gtest.h> <gmock/gmock.h> <string> <vector>)
    set_property(GLOBAL PROPERTY BALEEN_TEST_HEADERS test_${name})
  endif()
  add_test(NAME ${name} COMMAND test_${name})
endfunction()
