#include "formats/cli/launch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "formats/cli/program.h"

namespace sctrace::cli {

namespace {

volatile sig_atomic_t child_pid = 0;
extern "C" void pass_on(int number) {
  if (child_pid > 0) ::kill(child_pid, number);
}

// Signals of ours while the child runs; restores them.
class Deaf {
 public:
  Deaf() {
    set(SIGINT, SIG_IGN, 0), set(SIGQUIT, SIG_IGN, 1);
    set(SIGTERM, pass_on, 2), set(SIGHUP, pass_on, 3);
  }
  Deaf(const Deaf&) = delete;
  Deaf& operator=(const Deaf&) = delete;
  ~Deaf() { restore(); }
  void restore() const {
    for (int n = 0; n < 4; ++n) ::sigaction(numbers_[n], &before_[n], nullptr);
  }

 private:
  void set(int number, void (*handler)(int), int place) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    numbers_[place] = number;
    ::sigaction(number, &action, &before_[place]);
    // Who was started with it ignored (nohup) stays deaf.
    if (before_[place].sa_handler == SIG_IGN) ::sigaction(number, &before_[place], nullptr);
  }
  int numbers_[4] = {};
  struct sigaction before_[4] = {};
};

std::string with_pid(std::string text, pid_t pid) {
  for (size_t at = 0; (at = text.find("%p", at)) != std::string::npos;) {
    const std::string number = std::to_string(pid);
    text.replace(at, 2, number);
    at += number.size();
  }
  return text;
}

[[noreturn]] void become(const Launch& what, int report) {
  const char* before = std::getenv("LD_PRELOAD");
  const std::string preload = before && *before ? what.library + ":" + before : what.library;
  ::setenv("LD_PRELOAD", preload.c_str(), 1);
  std::string output = with_pid(what.output, ::getpid());
  for (size_t at = 0; (at = output.find('%', at)) != std::string::npos; at += 2)
    output.insert(at, "%");
  ::setenv("SCTRACE_OUTPUT", output.c_str(), 1);
  ::unsetenv("SCTRACE_LIBRARY");  // ours alone; the library does not know it
  for (const auto& [name, value] : what.settings) ::setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> argv;
  for (const std::string& word : what.command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  ::execvp(what.path.c_str(),
           argv.data());  // the path has a slash: not searched, but scripts without #! run
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(report, &error, sizeof error);
  ::_exit(126);
}

}  // namespace

int find_what(Launch& what) {
  const Found found = find_command(what.command.front());
  if (found.status) {
    fmt::print(stderr, "sctrace: {}: {}\n", what.command.front(),
               found.status == 127 ? "command not found" : "not executable");
    return found.status;
  }
  what.path = found.path.find('/') == std::string::npos ? "./" + found.path : found.path;
  what.library = find_library();
  if (what.library.empty())
    throw std::runtime_error(
        "libsctrace.so is neither beside sctrace nor in ../lib; SCTRACE_LIBRARY may name it");
  if (what.library.find_first_of(" :") != std::string::npos)  // they separate the names there
    throw std::runtime_error(what.library +
                             ": LD_PRELOAD can name no path with a blank or a colon");
  return 0;
}

Ended launch(const Launch& what) {
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) throw std::runtime_error(std::strerror(errno));
  const Deaf deaf;
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error(std::string("fork: ") + std::strerror(errno));
  if (child == 0) {
    deaf.restore();
    become(what, report[1]);
  }
  child_pid = child;
  ::close(report[1]);
  Ended ended;
  ended.pid = static_cast<uint32_t>(child);
  ended.output = with_pid(what.output, child);
  if (::read(report[0], &ended.exec_error, sizeof ended.exec_error) < 0) ended.exec_error = 0;
  ::close(report[0]);
  if (what.started && !ended.exec_error) what.started(ended.output);
  for (pid_t done = 0; done == 0 || (done < 0 && errno == EINTR);) {
    done = ::waitpid(child, &ended.wait_status, what.meanwhile ? WNOHANG : 0);
    if (done != 0) continue;
    what.meanwhile(ended.output);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  child_pid = 0;
  return ended;
}

}  // namespace sctrace::cli
