#include "formats/device/serve.h"

#include <fmt/format.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "formats/device/hub.h"

namespace sctrace::device {

namespace {

constexpr size_t most_unread = 256 << 20;  // of a controller that does not read what it is told

std::runtime_error failure(const std::string& what) {
  return std::runtime_error(what + ": " + std::strerror(errno));
}

uint64_t now() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(t.tv_nsec);
}

template <class Word>
void futex(std::atomic<Word>& word, int what, uint32_t value) {
  ::syscall(SYS_futex, &word, what, value, nullptr, nullptr, 0);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    throw std::runtime_error(path + ": a socket's path has 1 to 107 bytes");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// A socket that nobody listens on any more makes room; everything else that lies there stays.
void make_way(const std::string& path, const sockaddr_un& address) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return;
  if (!S_ISSOCK(status.st_mode)) throw std::runtime_error(path + ": is there, and no socket");
  if (status.st_uid != ::geteuid()) throw std::runtime_error(path + ": belongs to somebody else");
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool stale = result != 0 && errno == ECONNREFUSED;
  ::close(fd);
  if (!stale) throw std::runtime_error(path + ": another hub serves there");
  ::unlink(path.c_str());
}

int listen_on(const std::string& path) {
  const sockaddr_un address = address_of(path);
  make_way(path, address);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const mode_t before = ::umask(0177);
  const int bound = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  ::umask(before);
  if (fd < 0 || bound != 0 || ::listen(fd, 64) != 0) throw failure(path);
  return fd;
}

bool is_same_user(int fd, pid_t& pid) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return pid = peer.pid, peer.uid == ::geteuid();
}

void send_descriptor(int to, int what) {
  char byte = '.';
  iovec one{&byte, 1};
  alignas(cmsghdr) char space[CMSG_SPACE(sizeof what)] = {};
  msghdr message{};
  message.msg_iov = &one, message.msg_iovlen = 1;
  message.msg_control = space, message.msg_controllen = sizeof space;
  cmsghdr* head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_SOCKET, head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof what);
  std::memcpy(CMSG_DATA(head), &what, sizeof what);
  ::sendmsg(to, &message, MSG_NOSIGNAL);
}

// How often one may look in so many ns, where others can go on meanwhile; else not at all.
uint32_t spins_of(uint64_t ns) {
  cpu_set_t usable;
  if (::sched_getaffinity(0, sizeof usable, &usable) != 0 || CPU_COUNT(&usable) < 2) return 0;
  constexpr uint32_t some = 200;
  const uint64_t before = now();
  for (uint32_t n = some; n--;) __builtin_ia32_pause();
  const uint64_t spent = now() - before + 1;
  return static_cast<uint32_t>(std::min<uint64_t>(wire::spins_most, ns * some / spent));
}

struct Peer {
  int fd;
  pid_t pid;
  int id = 0;           // of a controller, once it has said something
  std::string in, out;  // in: until it is known who that is
  bool gone = false;
};

}  // namespace

struct Server::Parts {
  explicit Parts(const std::string& where) : path(where), listener(listen_on(where)) {
    memory = ::memfd_create("sctrace-control", MFD_CLOEXEC);
    if (memory < 0 || ::ftruncate(memory, sizeof(wire::ControlPage)) != 0) throw failure("memory");
    void* at =
        ::mmap(nullptr, sizeof(wire::ControlPage), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    if (at == MAP_FAILED) throw failure("memory");
    page = static_cast<wire::ControlPage*>(at);
    page->version = wire::control_version, page->slot_count = wire::control_slots;
    page->spins = spins_of(20'000);
    own();
    bell = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hub = std::make_unique<Hub>(*page, [this](uint32_t slot) {
      answered = true;
      if (page->slots[slot].sleeps.load()) futex(page->slots[slot].state, FUTEX_WAKE, 1);
    });
    listens = std::thread([this] { answer_bell(); });
  }
  ~Parts() {
    ending = true;
    page->doorbell.fetch_add(1);
    futex(page->doorbell, FUTEX_WAKE, 1 << 30);
    listens.join();
    for (Peer& peer : peers) {
      if (peer.id) hub->hang_up(peer.id);
      ::close(peer.fd);
    }
    ::pthread_mutex_unlock(lock());
    ::close(listener), ::close(memory), ::close(bell);
    ::unlink(path.c_str());
  }

  // The kernel marks the lock when we die, however that is: threads see that nobody serves them.
  pthread_mutex_t* lock() { return reinterpret_cast<pthread_mutex_t*>(&page->owner); }
  void own() {
    static_assert(sizeof(pthread_mutex_t) <= 64);
    pthread_mutexattr_t how;
    ::pthread_mutexattr_init(&how);
    ::pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(lock(), &how);
    ::pthread_mutex_lock(lock());
  }

  // A thread that asks is heard here, so that nobody else has to be woken for it first.
  void answer_bell() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (!ending) {
      const uint32_t seen = page->doorbell.load();
      {
        const std::lock_guard lock(gate);
        hub->look(now());
        if (speak_to_all() || hub->has_limits()) wake_main();
      }
      page->sleeps.store(1);  // seq_cst: pairs with the thread's look at it, after its ring
      if (page->doorbell.load() == seen) futex(page->doorbell, FUTEX_WAIT, seen);
      page->sleeps.store(0);
    }
  }
  // Who was let go asks again soon, most likely: heard here, for whom nobody has to be woken.
  void await_ring() {
    if (!luck.is_good()) return luck.skip();
    const uint32_t seen = page->doorbell.load();
    page->sleeps.store(0);
    for (uint32_t n = page->spins.load() / 2; n-- && page->doorbell.load() == seen;)
      __builtin_ia32_pause();
    page->sleeps.store(1);  // seq_cst: pairs as in answer_bell(); who rang before is heard here
    luck.note(page->doorbell.load() != seen);
    const std::lock_guard lock(gate);
    hub->look(now());
    flush();
  }
  void wake_main() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t told = ::write(bell, &one, sizeof one);
  }

  bool serve_once(const std::vector<pollfd>& all, uint64_t& looked);
  void accept_all();
  void hear(Peer& peer);
  void speak(Peer& peer);
  bool greet(Peer& peer);
  bool speak_to_all();
  void flush();

  std::string path;
  int listener, memory = -1, bell = -1;
  wire::ControlPage* page = nullptr;
  std::atomic<bool> ending = false;
  wire::Luck luck{};
  bool answered = false;  // somebody was, since it was last looked at
  std::thread listens;
  std::mutex gate;  // of all below; only the main thread adds and removes peers
  std::unique_ptr<Hub> hub;
  std::vector<Peer> peers;
};

void Server::Parts::accept_all() {
  for (int fd; (fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
    pid_t pid = 0;
    if (is_same_user(fd, pid))
      peers.push_back({.fd = fd, .pid = pid, .in = {}, .out = {}});
    else
      ::close(fd);
  }
}

// True: it was a traced program, which has got what it wants.
bool Server::Parts::greet(Peer& peer) {
  if (peer.in.empty() || peer.in[0] != wire::control_hello[0]) return false;
  if (peer.in.size() < sizeof wire::control_hello) return true;
  if (!std::memcmp(peer.in.data(), wire::control_hello, sizeof wire::control_hello)) {
    hub->renew(static_cast<uint32_t>(peer.pid));
    send_descriptor(peer.fd, memory);
  }
  peer.gone = true;
  return true;
}

void Server::Parts::hear(Peer& peer) {
  char bytes[65536];
  for (;;) {
    const ssize_t n = ::recv(peer.fd, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR) continue;
    if (n == 0 || (n < 0 && errno != EAGAIN)) peer.gone = true;
    if (n <= 0) return;
    std::string_view heard(bytes, static_cast<size_t>(n));
    if (!peer.id) {
      peer.in += heard;
      if (greet(peer)) return;
      peer.id = hub->connect();
      heard = peer.in;
    }
    if (!hub->hear(peer.id, heard)) peer.gone = true;
    if (peer.gone || static_cast<size_t>(n) < sizeof bytes) return;  // that was all there is
  }
}

void Server::Parts::speak(Peer& peer) {
  while (!peer.out.empty()) {
    const ssize_t n = ::send(peer.fd, peer.out.data(), peer.out.size(), MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) peer.gone = true;
    if (n <= 0) break;
    peer.out.erase(0, static_cast<size_t>(n));
  }
  if (peer.out.size() > most_unread) peer.gone = true;
}

// True: there is more to do than to speak, for the main thread.
bool Server::Parts::speak_to_all() {
  bool more = false;
  for (Peer& peer : peers) {
    if (peer.id) peer.out += hub->take_output(peer.id);
    if (!peer.gone && !peer.out.empty()) speak(peer);
    more |= peer.gone || !peer.out.empty();
  }
  return more;
}

void Server::Parts::flush() {
  for (bool more = true; more;) {
    more = false;
    speak_to_all();
    for (Peer& peer : peers) {
      if (!peer.gone) continue;
      if (peer.id) hub->hang_up(peer.id), more = true;  // others may have been asked instead
      ::close(peer.fd);
      peer.fd = -1;
    }
    std::erase_if(peers, [](const Peer& peer) { return peer.fd < 0; });
  }
}

// What poll() has found. True: threads were let go.
bool Server::Parts::serve_once(const std::vector<pollfd>& all, uint64_t& looked) {
  const std::lock_guard lock(gate);
  answered = false;
  for (size_t i = 0; i + 3 < all.size(); ++i)
    if (all[3 + i].revents) hear(peers[i]);
  if (all[0].revents) accept_all();
  hub->look(now());
  hub->pass_time(now());
  if (now() - looked > 500'000'000) {
    looked = now();
    hub->forget(
        [](uint32_t pid) { return ::kill(static_cast<pid_t>(pid), 0) == 0 || errno != ESRCH; });
  }
  flush();
  return answered;
}

Server::Server(const std::string& path) : parts_(std::make_unique<Parts>(path)) {}
Server::~Server() = default;

void Server::run(int wakes, const std::function<bool()>& is_over,
                 const std::function<void()>& begun) {
  Parts& p = *parts_;
  bool told = false;
  uint64_t looked = now();
  while (!is_over()) {
    std::vector<pollfd> all = {{p.listener, POLLIN, 0}, {p.bell, POLLIN, 0}, {wakes, POLLIN, 0}};
    int most = 500;
    {
      const std::lock_guard lock(p.gate);
      for (const Peer& peer : p.peers)
        all.push_back({peer.fd, static_cast<short>(POLLIN | (peer.out.empty() ? 0 : POLLOUT)), 0});
      if (p.hub->has_limits()) most = 20;
    }
    ::poll(all.data(), all.size(), most);
    uint64_t rung;
    if (all[1].revents && ::read(p.bell, &rung, sizeof rung) < 0) rung = 0;
    if (p.serve_once(all, looked)) p.await_ring();
    if (told || !p.hub->has_begun()) continue;
    told = true;
    p.page->begun.store(1);
    futex(p.page->begun, FUTEX_WAKE, 1 << 30);
    begun();
  }
  p.flush();
}

}  // namespace sctrace::device
