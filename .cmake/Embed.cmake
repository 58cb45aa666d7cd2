# The files of mappings/TEMPLATE as C arrays, for `eplan new`: written when the build is configured, again when one changes.
function(eplan_embed_template output)
  set(root ${PROJECT_SOURCE_DIR}/mappings/TEMPLATE)
  file(GLOB_RECURSE files RELATIVE ${root} CONFIGURE_DEPENDS ${root}/*.yaml ${root}/*.md)
  list(SORT files)
  set(arrays "")
  set(rows "")
  set(number 0)
  foreach(name IN LISTS files)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${name})
    file(READ ${root}/${name} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "(................................................................................)" "\\1\n" bytes "${bytes}")
    string(APPEND arrays "static const unsigned char new_file_${number}[] = {\n${bytes}};\n")
    string(APPEND rows "{\"${name}\", new_file_${number}, sizeof new_file_${number}},\n")
    math(EXPR number "${number} + 1")
  endforeach()
  file(CONFIGURE OUTPUT ${output} @ONLY CONTENT "/* Made of mappings/TEMPLATE by .cmake/Embed.cmake. */
${arrays}static const struct new_file new_files[] = {
${rows}};
")
endfunction()
