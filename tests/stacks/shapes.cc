// shapes_cxx N: as shapes.c, in C++: virtual functions, closures, exceptions that are caught and
// rethrown on the way, destructors that call, iterators of the library, many threads.
#include <algorithm>
#include <functional>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

extern "C" {
#include "guest.h"
}

namespace {

thread_local std::mt19937 random_numbers(7);
[[gnu::noinline]] int down(int deep);

struct Shape {
  virtual ~Shape() = default;
  virtual int go(int deep) const = 0;
};

struct Plain : Shape {
  [[gnu::noinline]] int go(int deep) const override { return down(deep) + 1; }
};

struct Closure : Shape {
  int go(int deep) const override {
    std::string kept(static_cast<size_t>(deep) + 20, 'x');
    const std::function<int(int)> call = [&kept](int n) {
      return down(n) + static_cast<int>(kept.size());
    };
    return call(deep);
  }
};

struct Throws : Shape {
  [[gnu::noinline]] static int thrown(int deep) {
    const int result = down(deep);
    throw std::runtime_error(std::to_string(result));
  }
  int go(int deep) const override {
    try {
      return thrown(deep);
    } catch (const std::exception& said) {
      report();
      return static_cast<int>(std::string(said.what()).size());
    }
  }
};

struct Destructor : Shape {
  struct Last {
    int deep;
    ~Last() { down(deep); }
  };
  int go(int deep) const override {
    const Last last{deep};
    return std::max(last.deep, 3);
  }
};

struct Sorted : Shape {
  int go(int deep) const override {
    std::vector<int> some{3, 1, 2};
    bool done = false;
    std::sort(some.begin(), some.end(), [&](int a, int b) {
      if (!done) done = true, down(deep);
      return a < b;
    });
    return some[0];
  }
};

int down(int deep) {
  if (deep <= 0) return report(), 0;
  static const std::unique_ptr<Shape> shapes[] = {
      std::make_unique<Plain>(), std::make_unique<Closure>(), std::make_unique<Throws>(),
      std::make_unique<Destructor>(), std::make_unique<Sorted>()};
  return shapes[random_numbers() % std::size(shapes)]->go(deep - 1) + 1;
}

void go_down(long times) {
  for (; times > 0; --times) down(static_cast<int>(random_numbers() % 10));
}

}  // namespace

int main(int argc, char** argv) {
  const long times = argc > 1 ? std::atol(argv[1]) : 10;
  std::puts(open_oracle());
  std::fflush(stdout);
  go_down(times);
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) threads.emplace_back(go_down, times / 8);
  for (std::thread& one : threads) one.join();
}
