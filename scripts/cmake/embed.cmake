# embed_files(OUTPUT ROOT FILE...): writes a C++ source that holds each file's bytes (assembler .incbin) and the table
# that suites/embedded.h declares.
function(embed_files output root)
    set(source "#include \"suites/embedded.h\"\n\n")
    set(table "")
    set(index 0)
    foreach(file ${ARGN})
        string(APPEND source "asm(\".section .rodata\\n.balign 16\\nassay_file_${index}:\\n.incbin \\\"${root}/${file}\\\"\\nassay_file_${index}_end:\\n.byte 0\\n.previous\\n\");\n"
            "extern \"C\" const char assay_file_${index}[], assay_file_${index}_end[];\n")
        string(APPEND table "    {\"${file}\", assay_file_${index}, assay_file_${index}_end},\n")
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${root}/${file})
        list(APPEND dependencies ${root}/${file})
        math(EXPR index "${index} + 1")
    endforeach()
    string(APPEND source "\nnamespace assay {\nnamespace {\nstruct Entry {\n    const char* name;\n    const char* begin;\n    const char* end;\n};\n"
        "const Entry entries[] = {\n${table}};\n}  // namespace\n\nstd::vector<EmbeddedFile> embedded_files() {\n    std::vector<EmbeddedFile> files;\n"
        "    for (const Entry& entry : entries)\n        files.push_back({entry.name, {entry.begin, static_cast<std::size_t>(entry.end - entry.begin)}});\n"
        "    return files;\n}\n\n}  // namespace assay\n")
    file(GENERATE OUTPUT ${output} CONTENT "${source}")
    set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS "${dependencies}")
endfunction()
