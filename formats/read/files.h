// Which file is behind a descriptor, and where relative names begin: what the writer told of each
// program's start, kept true by the calls of the timeline. -y and -P ask. What a path led through
// (symbolic links) nobody told, so a path is as the program named it, made absolute.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/event.h"
#include "formats/read/timeline.h"

namespace sctrace::read {

class Files {
 public:
  // In the order of the timeline:
  void begin(const Thread& thread);
  void enter(const Call& call);   // before the call is shown
  void learn(const Call& call);   // what it made, before it is shown again as ended
  void forget(const Call& call);  // what it took away, after that

  std::string path(uint32_t pid, int64_t fd) const;  // as /proc/PID/fd has it; empty if unknown
  std::vector<Value> details(uint32_t pid, int64_t fd) const;  // more than that: devices, addresses
  const OpenFile* told(uint32_t pid, int64_t fd) const;        // or null; until the next item
  std::shared_ptr<const OpenFile> socket(uint32_t pid, int64_t fd) const;  // null: it is none
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
  };
  using Table = std::map<int64_t, std::shared_ptr<One>>;
  struct Process {
    std::shared_ptr<Table> open = std::make_shared<Table>();
    std::shared_ptr<Place> directory = std::make_shared<Place>();
  };

  const One* at(uint32_t pid, int64_t fd) const;
  Process& process(uint32_t pid) { return processes_[pid]; }
  Process inherited(uint32_t pid, uint64_t flags);
  void tell(Process& in, const OpenFile& file);
  void open(const Call& call, int64_t fd, std::string path, std::string detail = {});
  void made(const Call& call);
  void copy(uint32_t pid, int64_t from, int64_t to);
  void rename(const std::string& from, const std::string& to);
  void unlink(const std::string& path);
  void connected(const Call& call);

  std::unordered_map<uint32_t, Process> processes_;    // by pid
  std::unordered_map<uint32_t, Process> bequeathed_;   // by the tid that made the last child
  std::unordered_map<uint32_t, uint32_t> process_of_;  // pid of a tid
};

// The file that a command of bpf() makes, as /proc/PID/fd calls it: empty if it is not known, null
// if it makes none.
const char* made_by_bpf(uint32_t command);

// What there is to say of it beside the path: "/dev/null" noted "char 1:3", "TCP:[127.0.0.1:1]",
// "UNIX:[7" and the name that is bound.
std::vector<Value> details_of(const OpenFile& file, uint64_t peer_inode);

}  // namespace sctrace::read
