// The names of the functions that nobody calls of an OpenCL that can only be listed. Apart from opencl.cpp,
// whose header declares them as what they are.

extern "C" {
void clCreateContext() {}
void clReleaseContext() {}
void clCreateCommandQueue() {}
void clReleaseCommandQueue() {}
void clCreateBuffer() {}
void clReleaseMemObject() {}
void clCreateProgramWithSource() {}
void clBuildProgram() {}
void clGetProgramBuildInfo() {}
void clReleaseProgram() {}
void clCreateKernel() {}
void clReleaseKernel() {}
void clSetKernelArg() {}
void clEnqueueNDRangeKernel() {}
void clEnqueueWriteBuffer() {}
void clEnqueueReadBuffer() {}
void clEnqueueCopyBuffer() {}
void clEnqueueFillBuffer() {}
void clEnqueueMapBuffer() {}
void clEnqueueUnmapMemObject() {}
void clEnqueueBarrierWithWaitList() {}
void clCreateUserEvent() {}
void clSetUserEventStatus() {}
void clReleaseEvent() {}
void clGetEventInfo() {}
void clGetEventProfilingInfo() {}
void clFlush() {}
void clFinish() {}
}
