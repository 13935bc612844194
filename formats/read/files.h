// Which file is behind a descriptor, and where relative names begin: what the writer told of each
// program's start, kept true by the calls of the timeline. -y and -P ask. A path is as the program
// named it, made absolute, unless the writer says that links or a root of its own led elsewhere.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/event.h"
#include "formats/read/tasks.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

class Files {
 public:
  // In the order of the timeline:
  void begin(const Thread& thread, std::string_view program = {});  // what a new image was made of
  void enter(const Call& call);                                     // before the call is shown
  void learn(const Call& call);   // what it made, before it is shown again as ended
  void forget(const Call& call);  // what it took away, after that

  std::string path(uint32_t pid, int64_t fd) const;  // as /proc/PID/fd has it; empty if unknown
  // More than that: devices, addresses. Nobody's unless they are wanted, for they cost more than
  // the call that names the descriptor.
  std::vector<Value> details(uint32_t pid, int64_t fd) const;
  bool wants_details = true;
  const OpenFile* told(uint32_t pid, int64_t fd) const;  // or null; until the next item
  std::shared_ptr<const OpenFile> socket(uint32_t pid, int64_t fd) const;  // null: it is none
  uint32_t process_behind(uint32_t pid, int64_t fd) const;          // of a pidfd; 0: nobody knows
  std::string task(int64_t tid) const { return tasks_.name(tid); }  // what a thread is called
  bool is_deleted(uint32_t pid, int64_t fd) const;
  std::string directory(uint32_t pid) const;
  std::string resolved(uint32_t pid, int64_t dirfd, std::string_view name) const;

 private:
  struct One {  // an open file; its descriptors share it
    OpenFile told;
    uint64_t peer_inode = 0;
    std::string detail;  // where the call that made it says more than the writer
    bool deleted = false;
  };
  struct Place {
    std::string path;
    bool deleted = false;
    std::string root;  // where a chroot led; empty: nowhere
  };
  using Table = std::map<int64_t, std::shared_ptr<One>>;
  struct Process {
    std::shared_ptr<Table> open = std::make_shared<Table>();
    std::shared_ptr<Place> directory = std::make_shared<Place>();
  };

  // Ends of connections whose other end has not been seen: by the connecting process, and the name
  // that it connected to.
  using End = std::pair<uint32_t, std::string>;
  using Ends = std::map<End, std::deque<std::weak_ptr<One>>>;

  const One* at(uint32_t pid, int64_t fd) const;
  Process& process(uint32_t pid) { return processes_[pid]; }
  Process inherited(uint32_t pid, uint64_t flags);
  void born(const Call& call);
  static std::string below_root(const Process& of, const std::string& path);
  void tell(Process& in, const OpenFile& file);
  void open(const Call& call, int64_t fd, std::string path, std::string detail = {});
  void made(const Call& call);
  void made_pidfd(const Call& call, uint64_t flags, uint64_t at);
  void copy(uint32_t pid, int64_t from, int64_t to);
  template <class Move>
  void each_path(Move move);
  void rename(const std::string& from, const std::string& to);
  void exchange(const std::string& one, const std::string& other);
  void unlink(const std::string& path);
  // files_peers.cc
  std::shared_ptr<One> shared(uint32_t pid, int64_t fd);
  static void join(const std::shared_ptr<One>& one, const std::shared_ptr<One>& other);
  static void meet(Ends& ours, Ends& theirs, const End& key, const std::shared_ptr<One>& one);
  void accepted(const Call& call);
  void connected(const Call& call);
  static void keep_peers(const Table& before, Table& after);

  std::unordered_map<uint32_t, Process> processes_;    // by pid
  std::unordered_map<uint32_t, Process> bequeathed_;   // by the tid that made the last child
  std::unordered_map<uint32_t, uint32_t> process_of_;  // pid of a tid
  Ends connecting_, accepted_;
  Tasks tasks_;
};

// The argument as an int.
inline int32_t low(const Call& call, int i) { return static_cast<int32_t>(call.args[i]); }

// The file that a command of bpf() makes, as /proc/PID/fd calls it: empty if it is not known, null
// if it makes none.
const char* made_by_bpf(uint32_t command);

// What there is to say of it beside the path: "/dev/null" noted "char 1:3", "TCP:[127.0.0.1:1]",
// "UNIX:[7" and the name that is bound.
std::vector<Value> details_of(const OpenFile& file, uint64_t peer_inode);

}  // namespace sctrace::read
