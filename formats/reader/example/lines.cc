// lines TRACE: what each thread called, as `sctrace print` shows it, its number in front.
//   c++ lines.cc $(pkg-config --cflags --libs sctrace-reader)
#include <iostream>
#include <sctrace/reader.hpp>

int main(int argc, char** argv) try {
  if (argc != 2) return std::cerr << "usage: lines TRACE\n", 2;
  sctrace::reader::Trace trace(argv[1]);
  for (const auto& event : trace)
    if (event.kind == SCTRACE_READER_CALL) std::cout << event.tid << ' ' << event.text() << '\n';
  if (trace.losses().calls) std::cerr << "lines: not all calls are here\n";
  return 0;
} catch (const sctrace::reader::Error& error) {
  std::cerr << "lines: " << error.what() << '\n';
  return 1;
}
