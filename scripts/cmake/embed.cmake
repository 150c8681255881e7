# embed_files(OUTPUT HEADER NAMESPACE FUNCTION ROOT FILE...): writes a C++ source that holds each file's bytes (assembler .incbin),
# under its path in ROOT, and the FUNCTION that lists them, as HEADER declares it.
function(embed_files output header namespace function root)
    set(source "#include \"${header}\"\n\n")
    set(table "")
    set(index 0)
    foreach(file ${ARGN})
        set(symbol assay_${function}_${index})
        string(APPEND source "asm(\".section .rodata\\n.balign 16\\n${symbol}:\\n.incbin \\\"${root}/${file}\\\"\\n${symbol}_end:\\n.byte 0\\n.previous\\n\");\n"
            "extern \"C\" const char ${symbol}[], ${symbol}_end[];\n")
        string(APPEND table "    {\"${file}\", ${symbol}, ${symbol}_end},\n")
        list(APPEND dependencies ${root}/${file})
        math(EXPR index "${index} + 1")
    endforeach()
    string(APPEND source "\nnamespace ${namespace} {\nnamespace {\nstruct Entry {\n    const char* name;\n    const char* begin;\n    const char* end;\n};\n"
        "const Entry entries[] = {\n${table}};\n}  // namespace\n\nstd::vector<EmbeddedFile> ${function}() {\n    std::vector<EmbeddedFile> files;\n"
        "    for (const Entry& entry : entries)\n        files.push_back({entry.name, {entry.begin, static_cast<std::size_t>(entry.end - entry.begin)}});\n"
        "    return files;\n}\n\n}  // namespace ${namespace}\n")
    file(GENERATE OUTPUT ${output} CONTENT "${source}")
    set_source_files_properties(${output} PROPERTIES OBJECT_DEPENDS "${dependencies}")
endfunction()
