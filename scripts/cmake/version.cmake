# write_version_header(OUTPUT): version, commit and compiler, kept in every journal. The commit is read at each build, and the header is
# rewritten only when it changed.
function(write_version_header output)
    add_custom_target(assay_version ALL BYPRODUCTS ${output}
        COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DVERSION=${PROJECT_VERSION} -DSOURCE=${PROJECT_SOURCE_DIR}
            "-DCOMPILER=${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}" "-DBUILD_TYPE=${CMAKE_BUILD_TYPE}"
            -P ${PROJECT_SOURCE_DIR}/scripts/cmake/write_version.cmake
        VERBATIM)
endfunction()
