// What a C++ program asks of its library: streams, exceptions, threads.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <iomanip>
#include <iostream>
#include <map>
#include <mutex>
#include <queue>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Base { virtual ~Base() = default; virtual int value() const = 0; };
struct Leaf : Base { int v; explicit Leaf(int x) : v(x) {} int value() const override { return v; } };
struct Guard { std::string name; ~Guard() { std::cout << "leaving " << name << "\n"; } };

static int depth(int n) {
  Guard guard{"level " + std::to_string(n)};
  if (n == 0) throw std::out_of_range("bottom");
  return depth(n - 1) + 1;
}

int main() {
  try { depth(3); } catch (const std::exception &e) { std::cout << "caught " << e.what() << "\n"; }
  std::map<std::string, int> counts;
  std::istringstream text("the cat and the dog and the bird");
  for (std::string word; text >> word;) counts[word]++;
  for (auto &[word, n] : counts) std::cout << word << "=" << n << " ";
  std::cout << std::fixed << std::setprecision(4) << 3.14159265 << " " << std::hex << 255 << std::dec << "\n";
  std::vector<std::unique_ptr<Base>> all;
  for (int i = 0; i < 10; i++) all.push_back(std::make_unique<Leaf>(i * i));
  long sum = 0;
  for (auto &b : all) sum += b->value();
  std::cout << "sum " << sum << "\n";

  std::mutex lock;
  std::condition_variable ready;
  std::queue<int> work;
  std::atomic<long> done{0};
  bool closed = false;
  long guarded = 0;
  std::vector<std::thread> workers;
  for (int w = 0; w < 4; w++)
    workers.emplace_back([&] {
      for (;;) {
        std::unique_lock<std::mutex> held(lock);
        ready.wait(held, [&] { return !work.empty() || closed; });
        if (work.empty()) return;
        int n = work.front();
        work.pop();
        guarded += n;
        held.unlock();
        for (int i = 0; i < 100; i++) done.fetch_add(n);
      }
    });
  for (int i = 1; i <= 500; i++) {
    { std::lock_guard<std::mutex> held(lock); work.push(i); }
    ready.notify_one();
  }
  { std::lock_guard<std::mutex> held(lock); closed = true; }
  ready.notify_all();
  for (auto &t : workers) t.join();
  std::cout << "guarded " << guarded << " done " << done << "\n";
  std::atomic<int> turn{0};
  std::thread other([&] { for (int i = 0; i < 20; i++) { while (turn.load() != 1) std::this_thread::yield(); turn = 0; } });
  for (int i = 0; i < 20; i++) { turn = 1; while (turn.load() != 0) std::this_thread::yield(); }
  other.join();
  std::cout << "turns over" << std::endl;
  return 3;
}
