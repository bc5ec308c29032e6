// The optimizer's kernels on a GPU, compiled at run time. Each operation names its rounding, so no compiler may fuse or
// reorder: the results have the bits of ScalarAdam and GradientNorm, whose order of operations this follows.
// GRADIENT and WEIGHT are 0 for bfloat16, 1 for binary16, 2 for binary32.

__device__ __forceinline__ float from_bf16(unsigned short bits) { return __uint_as_float((unsigned)bits << 16); }

// to nearest even; every NaN becomes the quiet NaN 0x7FC0
__device__ __forceinline__ unsigned short to_bf16(float x) {
  unsigned bits = __float_as_uint(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return 0x7fc0;
  return (unsigned short)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

__device__ __forceinline__ float from_half(unsigned short bits) {
  float x;
  asm("cvt.f32.f16 %0, %1;" : "=f"(x) : "h"(bits));
  return x;
}

__device__ __forceinline__ unsigned short to_half(float x) {
  unsigned short bits;
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return bits;
}

__device__ __forceinline__ float load(const void* from, long long i, int format) {
  if (format == 0) return from_bf16(((const unsigned short*)from)[i]);
  if (format == 1) return from_half(((const unsigned short*)from)[i]);
  return ((const float*)from)[i];
}

__device__ __forceinline__ void store(void* to, long long i, int format, float x) {
  if (format == 0) ((unsigned short*)to)[i] = to_bf16(x);
  else if (format == 1) ((unsigned short*)to)[i] = to_half(x);
  else ((float*)to)[i] = x;
}

// A parameter from its bfloat16 weight, its lower half and the tag in the variance's sign; see SplitMaster.
__device__ __forceinline__ float join(unsigned short weight, unsigned short low, unsigned variance) {
  unsigned up = low > 0x8000u || (low == 0x8000u && (variance & 0x80000000u)) ? 1u : 0u;
  return __uint_as_float((((unsigned)weight - up) << 16) | low);
}

// master: [n] f32, or [n] lower halves if split; momentum, variance: [n] f32; gradient, weight: [n]
extern "C" __global__ void adam(
    void* master, float* momentum, float* variance, const void* gradient, void* weight, long long n, int split,
    float scale, float decay, float coupled, float new_momentum, float beta2, float new_square, float step,
    float correction, float epsilon) {
  long long stride = (long long)gridDim.x * blockDim.x;
  for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) {
    float v = variance[i];
    float p;
    if (split) {
      unsigned tagged = __float_as_uint(v);
      p = join(((unsigned short*)weight)[i], ((unsigned short*)master)[i], tagged);
      v = __uint_as_float(tagged & 0x7fffffffu);
    } else {
      p = ((float*)master)[i];
    }
    float m = momentum[i];
    float g = __fmul_rn(load(gradient, i, GRADIENT), scale);
    p = __fmul_rn(p, decay);
    g = __fmaf_rn(coupled, p, g);
    m = __fmaf_rn(new_momentum, __fsub_rn(g, m), m);
    v = __fmaf_rn(beta2, v, __fmul_rn(__fmul_rn(new_square, g), g));
    float denominator = __fmaf_rn(__fsqrt_rn(v), correction, epsilon);
    p = __fmaf_rn(-step, __fdiv_rn(m, denominator), p);
    momentum[i] = m;
    if (split) {
      unsigned bits = __float_as_uint(p);
      unsigned tie = (bits & 0x1ffffu) == 0x18000u ? 0x80000000u : 0u;
      ((unsigned short*)master)[i] = (unsigned short)bits;
      variance[i] = __uint_as_float((__float_as_uint(v) & 0x7fffffffu) | tie);
    } else {
      ((float*)master)[i] = p;
      variance[i] = v;
    }
    store(weight, i, WEIGHT, p);
  }
}

// Sixteen interleaved partial sums of squares for each norm block of 4096 parameters; `from` is the flat index of the
// first gradient. partial: [blocks, 16] f64
extern "C" __global__ void partial_squares(const void* gradient, double* partial, long long from, long long n, int blocks) {
  long long thread = (long long)blockIdx.x * blockDim.x + threadIdx.x;
  long long block = thread >> 4;
  int lane = (int)(thread & 15);
  if (block >= blocks) return;
  long long first = from / 4096;
  long long begin = (first + block) * 4096 - from;
  long long end = begin + 4096;
  if (begin < 0) begin = 0;
  if (end > n) end = n;
  double sum = 0;
  for (long long i = begin + lane; i < end; i += 16) {
    double g = (double)load(gradient, i, GRADIENT);
    sum = __fma_rn(g, g, sum);
  }
  partial[thread] = sum;
}

// The sixteen sums of each block from the first to the last. sums: [blocks] f64
extern "C" __global__ void sum_partials(const double* partial, double* sums, int blocks) {
  int block = (int)(blockIdx.x * blockDim.x + threadIdx.x);
  if (block >= blocks) return;
  double total = 0;
  for (int lane = 0; lane < 16; lane++) total = __dadd_rn(total, partial[16 * (long long)block + lane]);
  sums[block] = total;
}
