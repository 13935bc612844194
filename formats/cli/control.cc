// `sctrace control`: serves the device to controllers and starts a program that they may stop.
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "formats/cli/launch.h"
#include "formats/cli/program.h"
#include "formats/cli/verbs.h"
#include "formats/device/serve.h"

namespace sctrace::cli {

namespace fs = std::filesystem;

namespace {

volatile sig_atomic_t asked_to_end = 0;
int wakes = -1;
void wake_up() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t told = ::write(wakes, &one, sizeof one);
}
extern "C" void end_it(int) {
  asked_to_end = 1;
  wake_up();
}

// Where nobody names one: in a folder that is this user's alone.
std::string own_socket() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string folder = runtime && *runtime ? runtime : "/tmp";
  return fmt::format("{}/sctrace-{}-{}.sock", folder, ::geteuid(), ::getpid());
}

// A folder for a trace that nobody asked for; gone with us.
class Scratch {
 public:
  Scratch() {
    char name[] = "/tmp/sctrace-control-XXXXXX";
    if (::mkdtemp(name)) path_ = name;
  }
  ~Scratch() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

int status_of(const Ended& ended, const std::string& path) {
  if (ended.exec_error) {
    fmt::print(stderr, "sctrace: {}: {}\n", path, std::strerror(ended.exec_error));
    return ended.exec_error == ENOENT ? 127 : 126;
  }
  const int status = ended.wait_status;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Until CMD has ended.
int serve_with(device::Server& server, Launch& what) {
  Ended ended;
  std::atomic<bool> over = false;
  std::thread runs;
  server.run(
      wakes, [&] { return over.load() || asked_to_end; },
      [&] {
        runs = std::thread([&] {
          ended = launch(what);
          over = true;
          wake_up();
        });
      });
  if (!runs.joinable()) return 1;  // nobody ever said a line
  runs.join();
  return status_of(ended, what.path);
}

int serve_alone(device::Server& server) {
  server.run(
      wakes, [] { return asked_to_end != 0; }, [] {});
  return 0;
}

}  // namespace

int verb_control(int argc, char** argv) {
  CLI::App app(
      "sctrace control [-l SOCKET] [-o DIR] [-- CMD [ARG...]]\n"
      "Serves controllers on SOCKET, a line a message (README, \"The device\"), and starts CMD "
      "once "
      "the first of them has said a line. Passes on the status of CMD, 128+n after a signal. "
      "Without CMD: for programs started with SCTRACE_CONTROL=SOCKET, until SIGINT or SIGTERM.");
  std::string socket, output;
  app.add_option("-l,--listen", socket, "the socket; made, for this user alone")
      ->type_name("SOCKET");
  app.add_option("-o,--output", output, "keep the trace too")->type_name("DIR");
  app.prefix_command();
  if (const auto status = parse(app, argc, argv)) return *status;
  Launch what;
  what.command = app.remaining();
  if (!what.command.empty() && what.command.front() == "--")
    what.command.erase(what.command.begin());
  if (!what.command.empty() && what.command.front().starts_with("-")) {
    fmt::print(stderr, "sctrace control: no such option: {}\n", what.command.front());
    return 2;
  }
  const bool alone = what.command.empty();
  if (alone && socket.empty()) {
    fmt::print(stderr, "sctrace control: neither a command nor -l SOCKET\n");
    return 2;
  }
  wakes = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const std::string where = fs::absolute(socket.empty() ? own_socket() : socket).string();
  const Scratch scratch;
  if (!alone) {
    if (const int status = find_what(what)) return status;
    what.output = output.empty() ? scratch.path() + "/trace" : fs::absolute(output).string();
    if (output.empty()) what.settings.emplace_back("SCTRACE_MODE", "overwrite");
    what.settings.emplace_back("SCTRACE_CONTROL", where);
  }
  device::Server server(where);
  std::signal(SIGINT, end_it), std::signal(SIGTERM, end_it);
  if (socket.empty()) fmt::print(stderr, "sctrace: controllers may connect to {}\n", where);
  return alone ? serve_alone(server) : serve_with(server, what);
}

}  // namespace sctrace::cli
