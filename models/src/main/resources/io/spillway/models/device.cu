// The few words of a GPU in which step.cu is written; it stands before that text when NVRTC compiles both. A test has the
// same words for a CPU.
#define DEVICE static __device__ __forceinline__
#define SHARED __shared__
#define KERNEL(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)

struct __align__(16) Words {
  unsigned x, y, z, w;
};
struct __align__(16) Floats {
  float x, y, z, w;
};

extern __shared__ __align__(16) float vector_in_shared[];

DEVICE float* dynamic_shared() { return vector_in_shared; }
DEVICE int thread() { return threadIdx.x; }
DEVICE int block_x() { return blockIdx.x; }
DEVICE int block_y() { return blockIdx.y; }
DEVICE int block_z() { return blockIdx.z; }
DEVICE int blocks_x() { return gridDim.x; }
DEVICE int blocks_y() { return gridDim.y; }
DEVICE int blocks_z() { return gridDim.z; }
DEVICE void barrier() { __syncthreads(); }
DEVICE void converge() { __syncwarp(); }
DEVICE void publish() { __threadfence(); }
DEVICE int min_of(int a, int b) { return a < b ? a : b; }
DEVICE float max_of(float a, float b) { return a > b ? a : b; }
DEVICE float from_lane_apart(float x, int apart) { return __shfl_xor_sync(0xffffffffu, x, apart); }
DEVICE float inverse_root(float x) { return rsqrtf(x); }
DEVICE float as_float(unsigned x) { return __uint_as_float(x); }
DEVICE unsigned as_bits(float x) { return __float_as_uint(x); }

DEVICE float exponential2(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

// Counts up to `last` and begins again; the count before.
DEVICE unsigned count_round(unsigned* at, unsigned last) { return atomicInc(at, last); }

// Memory that is read once and not written meanwhile passes the first cache by.
DEVICE Words read_once(const Words* at) {
  Words w;
  asm volatile("ld.global.nc.L1::no_allocate.v4.u32 {%0, %1, %2, %3}, [%4];"
               : "=r"(w.x), "=r"(w.y), "=r"(w.z), "=r"(w.w)
               : "l"(at));
  return w;
}

// What another block wrote.
DEVICE float read_of_others(const float* at) { return *(const volatile float*)at; }

// A kernel may begin before the one ahead of it has ended, up to the point where it needs what that one wrote.
#if __CUDA_ARCH__ >= 900
DEVICE void wait_for_kernel_ahead() { asm volatile("griddepcontrol.wait;" ::: "memory"); }
DEVICE void let_kernel_behind_start() { asm volatile("griddepcontrol.launch_dependents;"); }
#else
DEVICE void wait_for_kernel_ahead() {}
DEVICE void let_kernel_behind_start() {}
#endif
