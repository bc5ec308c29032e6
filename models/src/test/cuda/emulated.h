// The words of device.h on a CPU: the threads of a block are fibers of one thread that change at every barrier and shuffle.
#pragma once
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#define DEVICE static inline
#define SHARED static
#define KERNEL(threads, blocks) static void

struct alignas(16) Words {
  unsigned x, y, z, w;
};
struct alignas(16) Floats {
  float x, y, z, w;
};

namespace emulated {
const int threads = 256;
struct Meeting {
  int members, come = 0;
  unsigned rounds = 0;
};
alignas(16) inline float shared[1 << 16];
inline ucontext_t scheduler, fibers[threads];
inline std::vector<char> stacks[threads];
inline bool done[threads];
inline int current, block[3], blocks[3];
inline Meeting everyone{threads}, warps[threads / 32];
inline float lanes[threads];
inline std::function<void()> body;

inline void meet(Meeting& meeting) {
  unsigned round = meeting.rounds;
  if (++meeting.come == meeting.members) {
    meeting.come = 0;
    meeting.rounds++;
  }
  while (meeting.rounds == round) swapcontext(&fibers[current], &scheduler);
}

inline void fiber() {
  body();
  done[current] = true;
}

// Runs every block of a grid, one after the other, in an order that a GPU might take too: the last first.
inline void launch(int x, int y, int z, std::function<void()> kernel) {
  body = std::move(kernel);
  blocks[0] = x, blocks[1] = y, blocks[2] = z;
  for (auto& warp : warps) warp.members = 32;
  for (int number = x * y * z - 1; number >= 0; number--) {
    block[0] = number % x, block[1] = number / x % y, block[2] = number / x / y;
    std::fill(std::begin(shared), std::end(shared), NAN);
    for (int t = 0; t < threads; t++) {
      stacks[t].resize(1 << 16);
      getcontext(&fibers[t]);
      fibers[t].uc_stack.ss_sp = stacks[t].data();
      fibers[t].uc_stack.ss_size = stacks[t].size();
      fibers[t].uc_link = &scheduler;
      done[t] = false;
      makecontext(&fibers[t], fiber, 0);
    }
    int left = threads, idle = 0;
    while (left > 0) {
      left = 0;
      for (current = 0; current < threads; current++) {
        if (!done[current]) {
          swapcontext(&scheduler, &fibers[current]);
          left += !done[current];
        }
      }
      if (++idle > 1000000) {
        std::fprintf(stderr, "threads wait for each other for good\n");
        std::exit(1);
      }
    }
  }
}
}  // namespace emulated

DEVICE float* dynamic_shared() { return emulated::shared; }
DEVICE int thread() { return emulated::current; }
DEVICE int block_x() { return emulated::block[0]; }
DEVICE int block_y() { return emulated::block[1]; }
DEVICE int block_z() { return emulated::block[2]; }
DEVICE int blocks_x() { return emulated::blocks[0]; }
DEVICE int blocks_y() { return emulated::blocks[1]; }
DEVICE int blocks_z() { return emulated::blocks[2]; }
DEVICE void barrier() { emulated::meet(emulated::everyone); }
DEVICE void converge() { emulated::meet(emulated::warps[thread() / 32]); }
DEVICE void publish() {}
DEVICE int min_of(int a, int b) { return a < b ? a : b; }
DEVICE float max_of(float a, float b) { return a > b ? a : b; }
DEVICE float from_lane_apart(float x, int apart) {
  int mine = thread();
  emulated::lanes[mine] = x;
  converge();
  float other = emulated::lanes[mine ^ apart];
  converge();
  return other;
}
DEVICE float exponential2(float x) { return std::exp2(x); }
DEVICE float inverse_root(float x) { return 1 / std::sqrt(x); }
DEVICE float as_float(unsigned x) {
  float f;
  std::memcpy(&f, &x, 4);
  return f;
}
DEVICE unsigned as_bits(float x) {
  unsigned u;
  std::memcpy(&u, &x, 4);
  return u;
}
DEVICE unsigned count_round(unsigned* at, unsigned last) {
  unsigned before = *at;
  *at = before >= last ? 0 : before + 1;
  return before;
}
DEVICE Words read_once(const Words* at) { return *at; }
DEVICE float read_of_others(const float* at) { return *at; }
DEVICE void wait_for_kernel_ahead() {}
DEVICE void let_kernel_behind_start() {}
