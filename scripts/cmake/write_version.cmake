set(commit "unknown")
execute_process(COMMAND git -C ${SOURCE} describe --always --dirty --abbrev=12 --match=NOTAG OUTPUT_VARIABLE described
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
if(NOT failed)
    set(commit ${described})
endif()
set(content "#pragma once

#define ASSAY_VERSION \"${VERSION}\"
#define ASSAY_COMMIT \"${commit}\"
#define ASSAY_COMPILER \"${COMPILER} ${BUILD_TYPE}\"
")
set(old "")
if(EXISTS ${OUTPUT})
    file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL content)
    file(WRITE ${OUTPUT} "${content}")
endif()
