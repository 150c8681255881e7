# `cpack -G TGZ` makes one relocatable folder: bin/assay, and in lib/ the shared libraries that a bare Debian 12 lacks.
# The binary finds them by $ORIGIN; an old-style RPATH also serves the libraries' own dependencies (OpenBLAS needs
# Fortran's runtime), which a RUNPATH would not.
set_target_properties(assay PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
target_link_options(assay PRIVATE -Wl,--disable-new-dtags)
install(TARGETS assay RUNTIME DESTINATION bin)
install(FILES ${PROJECT_SOURCE_DIR}/README.md DESTINATION .)
install(PROGRAMS ${PROJECT_SOURCE_DIR}/scripts/gpu-check DESTINATION scripts)

# Loaded at run time by name, so no link list shows it.
find_library(OPENBLAS_LIBRARY openblas REQUIRED)
# OpenCL's loader for machines that have a vendor's driver and no loader: apart, so that a machine's own comes first
# (kernels/opencl/api.cpp). The RPATH would put a library in lib/ before it.
find_library(OPENCL_LIBRARY OpenCL REQUIRED)
install(CODE "
    # What every Debian 12 has (essential packages, and apt's own needs), and what must match the host's kernel or loader.
    set(host_has ld-linux libc.so libm.so libdl.so libpthread.so librt.so libresolv.so libgcc_s.so libstdc\\\\+\\\\+.so libudev.so linux-vdso)
    list(JOIN host_has \"|\" host_pattern)
    file(GET_RUNTIME_DEPENDENCIES
        EXECUTABLES \"$<TARGET_FILE:assay>\"
        LIBRARIES \"${OPENBLAS_LIBRARY}\"
        RESOLVED_DEPENDENCIES_VAR needed
        UNRESOLVED_DEPENDENCIES_VAR unresolved
        POST_EXCLUDE_REGEXES \"/(\${host_pattern})[^/]*$\")
    if(unresolved)
        message(FATAL_ERROR \"libraries not found: \${unresolved}\")
    endif()
    list(APPEND needed \"${OPENBLAS_LIBRARY}\")
    foreach(library \${needed})
        get_filename_component(name \${library} NAME)
        if(name STREQUAL \"libopenblas.so\")
            set(name libopenblas.so.0)
        endif()
        file(REAL_PATH \${library} file)
        file(INSTALL DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib\" TYPE FILE RENAME \${name} FILES \${file})
    endforeach()
    file(REAL_PATH \"${OPENCL_LIBRARY}\" opencl)
    file(INSTALL DESTINATION \"\${CMAKE_INSTALL_PREFIX}/lib/fallback\" TYPE FILE RENAME libOpenCL.so.1 FILES \${opencl})
")

set(CPACK_PACKAGE_NAME assay)
set(CPACK_PACKAGE_FILE_NAME assay-${PROJECT_VERSION}-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_GENERATOR TGZ)
set(CPACK_STRIP_FILES ON)
include(CPack)
