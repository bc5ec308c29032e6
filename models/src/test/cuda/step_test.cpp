// The kernels of step.cu on a CPU against plain loops over doubles. Prints the largest error of each case; exit 1 if one is
// too large. StepKernelsTest compiles and runs it.
#include "emulated.h"
#define ROW_THREADS 256  // what is emulated
#include "step.cu"

#include <random>
#include <string>

static std::mt19937 random_bits(7);
static bool failed = false;

static float draw() { return std::normal_distribution<float>()(random_bits); }

static std::vector<u16> weights(size_t count) {
  std::vector<u16> out(count);
  for (auto& w : out) w = rounded(draw());
  return out;
}

static std::vector<float> numbers(size_t count) {
  std::vector<float> out(count);
  for (auto& x : out) x = draw();
  return out;
}

static void compare(const std::string& name, const std::vector<float>& got, const std::vector<double>& want) {
  double apart = 0, scale = 0;
  for (size_t i = 0; i < want.size(); i++) {
    apart = std::max(apart, std::isnan(got[i]) ? INFINITY : std::abs(got[i] - want[i]));
    scale = std::max(scale, std::abs(want[i]));
  }
  std::printf("%s: %.1e\n", name.c_str(), apart / scale);
  if (!(apart / scale < 1e-5)) {
    std::printf("  too large\n");
    failed = true;
  }
}

static std::vector<double> product(const std::vector<u16>& w, const std::vector<double>& x, int rows) {
  std::vector<double> out(rows);
  size_t columns = x.size();
  for (int r = 0; r < rows; r++)
    for (size_t c = 0; c < columns; c++) out[r] += number(w[r * columns + c]) * x[c];
  return out;
}

static std::vector<double> norm(const std::vector<float>& x, const std::vector<u16>& factors, double epsilon) {
  double squares = 0;
  for (float v : x) squares += (double)v * v;
  std::vector<double> out;
  for (size_t i = 0; i < x.size(); i++) out.push_back(x[i] * number(factors[i]) / std::sqrt(squares / x.size() + epsilon));
  return out;
}

static void products_of(int rows, int columns, int grid) {
  std::string shape = std::to_string(rows) + " x " + std::to_string(columns);
  auto x = numbers(columns), out = numbers(rows), gated = numbers(rows);
  auto before = out;
  auto factors = weights(columns), w = weights((size_t)2 * rows * columns), bias = weights(rows);
  auto normed = norm(x, factors, 1e-5);
  std::vector<double> plain(x.begin(), x.end());
  emulated::launch(grid, 1, 1, [&] { add_products(x.data(), w.data(), out.data(), rows, columns); });
  auto want = product(w, plain, rows);
  for (int r = 0; r < rows; r++) want[r] += before[r];
  compare("add_products " + shape, out, want);
  emulated::launch(grid, 1, 1, [&] { norm_products(x.data(), factors.data(), 1e-5f, w.data(), bias.data(), out.data(), rows, columns); });
  want = product(w, normed, rows);
  for (int r = 0; r < rows; r++) want[r] += number(bias[r]);
  compare("norm_products " + shape, out, want);
  emulated::launch(grid, 1, 1, [&] { norm_gated(x.data(), factors.data(), 1e-5f, w.data(), gated.data(), rows, columns); });
  auto both = product(w, normed, 2 * rows);
  for (int r = 0; r < rows; r++) want[r] = both[r] / (1 + std::exp(-both[r])) * both[rows + r];
  compare("norm_gated " + shape, gated, want);
}

using Kernel = void (*)(const Attention&);

static void attention_of(Kernel kernel, int group, int dim, int heads, int kv, int room, long position, int splits, bool normed) {
  int half = dim / 2, in_group = heads / kv, groups = (in_group + group - 1) / group;
  auto qkv = numbers((size_t)(heads + 2 * kv) * dim);
  auto cosines = weights((size_t)room * half), sines = weights((size_t)room * dim), query_norm = weights(dim), key_norm = weights(dim);
  auto keys = weights((size_t)kv * room * dim), values = weights((size_t)kv * room * dim);
  for (int h = 0; h < kv; h++)  // what lies beyond the entries must not count
    for (long i = position * dim; i < (long)room * dim; i++) keys[h * (long)room * dim + i] = values[h * (long)room * dim + i] = 0x7fc0;
  auto old_keys = keys, old_values = values;
  std::vector<float> parts((size_t)heads * splits * dim, NAN), scores((size_t)heads * splits * 2, NAN), out(heads * dim);
  std::vector<u32> arrived(kv * groups);
  Attention a{qkv.data(), cosines.data(), sines.data(), &position, keys.data(), values.data(), normed ? query_norm.data() : nullptr,
              normed ? key_norm.data() : nullptr, parts.data(), scores.data(), arrived.data(), out.data(), 1e-6f, heads, kv, room};
  auto turned = [&](int head, const std::vector<u16>& factors) {
    std::vector<float> row(qkv.begin() + (long)head * dim, qkv.begin() + (long)(head + 1) * dim);
    std::vector<double> x(row.begin(), row.end()), to(dim);
    if (normed) x = norm(row, factors, 1e-6);
    for (int i = 0; i < half; i++) {
      double c = number(cosines[position * half + i]), s = number(sines[position * dim + half + i]);
      to[i] = x[i] * c - x[i + half] * s;
      to[i + half] = x[i + half] * c + x[i] * s;
    }
    return to;
  };
  std::vector<double> want(heads * dim);
  for (int twice = 0; twice < 2; twice++) {  // the second run shows that the counters are ready again
    std::fill(out.begin(), out.end(), NAN);
    emulated::launch(splits, kv, groups, [&] { kernel(a); });
  }
  for (int head = 0; head < heads; head++) {
    int h = head / in_group;
    auto q = turned(head, query_norm), k = turned(heads + h, key_norm);
    std::vector<double> weights;
    double total = 0;
    for (long e = 0; e <= position; e++) {
      double s = 0;
      for (int j = 0; j < dim; j++)
        s += q[j] * (e < position ? number(old_keys[(h * (long)room + e) * dim + j]) : number(rounded((float)k[j])));
      weights.push_back(s / std::sqrt((double)dim));
    }
    double top = *std::max_element(weights.begin(), weights.end());
    for (double& s : weights) total += s = std::exp(s - top);
    for (long e = 0; e <= position; e++)
      for (int j = 0; j < dim; j++)
        want[head * dim + j] += weights[e] / total *
            number(e < position ? old_values[(h * (long)room + e) * dim + j] : rounded(qkv[(heads + kv + h) * (long)dim + j]));
    for (int j = 0; j < dim; j++) {
      size_t at = (h * (size_t)room + position) * dim + j;
      if (values[at] != rounded(qkv[(heads + kv + h) * (long)dim + j]) || std::abs(number(keys[at]) - k[j]) > 0.01 * std::abs(k[j]) + 1e-4) {
        std::printf("the new entry was not written\n");
        failed = true;
      }
    }
  }
  compare("attend dim " + std::to_string(dim) + ", " + std::to_string(heads) + " of " + std::to_string(kv) + " heads by " + std::to_string(group) + ", " +
              std::to_string(position) + " entries in " + std::to_string(splits) + (normed ? " splits, normed" : " splits"),
          out, want);
}

int main() {
  products_of(37, 1416, 2);
  products_of(16, 4096, 1);
  products_of(9, 64, 3);
  attention_of(attend<16, 4>, 4, 128, 8, 2, 256, 200, 3, false);
  attention_of(attend<16, 4>, 4, 128, 7, 1, 64, 33, 2, true);
  attention_of(attend<16, 2>, 2, 128, 4, 2, 64, 1, 4, true);
  attention_of(attend<16, 1>, 1, 128, 2, 2, 64, 63, 2, false);
  attention_of(attend<8, 4>, 4, 64, 8, 1, 512, 511, 33, false);
  attention_of(attend<8, 1>, 1, 64, 3, 3, 64, 0, 2, false);
  attention_of(attend<4, 2>, 2, 32, 4, 2, 128, 100, 2, true);
  attention_of(attend<32, 2>, 2, 256, 4, 2, 64, 50, 2, false);
  return failed;
}
