# A layer is a folder: one static library, and one include directory that shows that folder alone.
# "fhir/json/json.h" therefore compiles only in a target that names fhir/json: a wrong include does not compile.
include_guard(GLOBAL)

# eplan_layer(FOLDER [PUBLIC layers its headers use] [PRIVATE layers its sources use] [PACKAGES imported targets])
# Sources are all *.c of the folder. Layers are named by folder.
function(eplan_layer folder)
  cmake_parse_arguments(arg "" "" "PUBLIC;PRIVATE;PACKAGES" ${ARGN})
  string(REPLACE "/" "_" target ${folder})
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
  add_library(${target} STATIC ${sources})
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE C)

  get_filename_component(parent ${folder} DIRECTORY)
  set(view ${PROJECT_BINARY_DIR}/include/${target})
  file(MAKE_DIRECTORY ${view}/${parent})
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${view}/${folder} SYMBOLIC)
  target_include_directories(${target} PUBLIC ${view})

  target_link_libraries(${target} PRIVATE eplan_flags ${arg_PACKAGES})
  foreach(scope PUBLIC PRIVATE)
    foreach(layer ${arg_${scope}})
      string(REPLACE "/" "_" other ${layer})
      if(NOT TARGET ${other})
        message(FATAL_ERROR "${folder} uses ${layer}, which is not a lower layer")
      endif()
      target_link_libraries(${target} ${scope} ${other})
    endforeach()
  endforeach()
  set_property(GLOBAL APPEND PROPERTY EPLAN_LAYERS ${folder})
endfunction()
