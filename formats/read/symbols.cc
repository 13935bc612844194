#include "formats/read/symbols.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "formats/read/demangle.h"
#include "formats/read/trace.h"

namespace sctrace::read {

namespace fs = std::filesystem;

namespace {

constexpr size_t named_most = 4096, frames_most = 1 << 20;

std::string build_id_of(const wire::ObjectId& id) {
  std::string bytes(reinterpret_cast<const char*>(id.build_id), sizeof id.build_id);
  bytes.erase(bytes.find_last_not_of('\0') + 1);
  return bytes;
}

// An id may end in zeros, which the trace does not tell from none.
bool is_same_build(std::string a, std::string b) {
  a.resize(wire::build_id_bytes), b.resize(wire::build_id_bytes);
  return a == b;
}

}  // namespace

std::shared_ptr<Symbols::File> Symbols::file_of(const std::string& path,
                                                const std::string& build_id) {
  std::shared_ptr<File>& file = files_[path + '\0' + build_id];
  if (file) return file;
  file = std::make_shared<File>();
  file->facts = elf_facts(path);
  const bool same = build_id.empty() || is_same_build(build_id, file->facts.build_id);
  if (!same) file->facts.code.clear();
  const std::string& build = build_id.empty() ? file->facts.build_id : build_id;
  file->functions = std::make_unique<ElfSymbols>(same ? path : "", build);
  std::vector<std::string> informed = debug_files(build);
  if (same) informed.insert(informed.begin(), path);
  file->inlined = std::make_unique<Inlined>(informed);
  return file;
}

void Symbols::load(const Image& image, Modules& modules) {
  modules.all.clear();
  std::unique_ptr<wire::Image> header;
  try {
    header = header_of(image.ring_file);
  } catch (const BadTrace&) {
    return;  // it was readable before: the addresses are left
  }
  const std::string text(header->objects, strnlen(header->objects, sizeof header->objects));
  const std::string none;
  size_t line = 0;
  for (size_t at = 0, end; at < text.size(); at = end + 1, ++line) {
    end = std::min(text.find('\n', at), text.size());
    char* rest = nullptr;
    Module module;
    module.base = std::strtoull(text.c_str() + at, &rest, 16);
    if (*rest != ' ') continue;
    module.path = text.substr(static_cast<size_t>(rest + 1 - text.c_str()),
                              end - static_cast<size_t>(rest + 1 - text.c_str()));
    std::error_code error;  // as /proc/PID/maps has it: the loader's name may go over links
    if (module.path.starts_with('/'))
      if (const auto real = fs::canonical(module.path, error); !error) module.path = real.string();
    const bool has_id = line < wire::object_ids;
    // A name that no folder is in (the vDSO's) would be looked for where we are.
    const std::string& file = module.path.starts_with('/') ? module.path : none;
    module.file = file_of(file, has_id ? build_id_of(header->ids[line]) : "");
    uint64_t bytes = has_id ? header->ids[line].pages * uint64_t{4096} : 0;
    if (!bytes)
      for (const Segment& code : module.file->facts.code)
        bytes = std::max(bytes, code.address + code.bytes);
    module.end = module.base + std::min(bytes, UINT64_MAX - module.base);
    modules.all.push_back(std::move(module));
  }
  std::stable_sort(modules.all.begin(), modules.all.end(),
                   [](const Module& a, const Module& b) { return a.base < b.base; });
}

Symbols::Modules& Symbols::modules_of(const Image& image) {
  const auto [at, is_new] = modules_.try_emplace(&image);
  if (is_new) load(image, at->second);
  return at->second;
}

const Symbols::Module* Symbols::module_at(const Image& image, Modules& modules, uint64_t address) {
  const auto find = [&]() -> const Module* {
    auto at = std::upper_bound(modules.all.begin(), modules.all.end(), address,
                               [](uint64_t wanted, const Module& m) { return wanted < m.base; });
    while (at != modules.all.begin())
      if (--at; address < at->end) return &*at;
    return nullptr;
  };
  if (const Module* found = find()) return found;
  // More may be mapped by now, where the trace is still being made: looked at ever more rarely.
  if (const uint64_t n = ++modules.missed; n & (n - 1)) return nullptr;
  load(image, modules);
  return find();
}

void Symbols::name_by_jit(uint32_t pid, Frame& frame) {
  const auto [at, is_new] = jits_.try_emplace(pid);
  Jit& jit = at->second;
  if (is_new) {
    const std::string path = fmt::format("/tmp/perf-{}.map", pid);
    struct stat is {};
    // Anybody may write there: as perf, we believe what is ours or root's.
    if (lstat(path.c_str(), &is) != 0 || !S_ISREG(is.st_mode) ||
        (is.st_uid != geteuid() && is.st_uid != 0))
      return;
    std::ifstream lines(path);
    for (std::string line; std::getline(lines, line) && jit.all.size() < frames_most;) {
      char* rest = nullptr;
      const uint64_t begin = std::strtoull(line.c_str(), &rest, 16);
      const uint64_t bytes = *rest == ' ' ? std::strtoull(rest, &rest, 16) : 0;
      if (bytes && *rest == ' ') jit.all.push_back({begin, begin + bytes, rest + 1});
    }
  }
  // Code is thrown away and its place used again: what was written last counts.
  for (auto code = jit.all.rbegin(); code != jit.all.rend(); ++code) {
    if (frame.address <= code->begin || frame.address > code->end) continue;
    frame.object = "[JIT]";
    frame.symbol = code->name;
    frame.offset = frame.address - code->begin;
    return;
  }
}

// What was inlined there, and the function around it. `exact`: it is no place where a call returns
// to, which may be behind the end of its function.
std::vector<Frame> Symbols::frames_in(const Module& module, uint64_t address, bool exact) {
  const uint64_t place = address - module.base, inside = exact ? place : place - 1;
  File& file = *module.file;
  Frame frame;
  frame.address = address;
  frame.object = module.path;
  frame.offset = frame.in_file = place;
  for (const Segment& code : file.facts.code)
    if (place - code.address < code.bytes) frame.in_file = place - code.address + code.offset;
  const ElfSymbols::Function* function = file.functions->at(inside);
  if (!function) return {frame};
  frame.symbol = demangled(std::string(function->name));
  frame.offset = place - function->begin;
  std::vector<Frame> all;
  for (const std::string& name : file.inlined->at(inside)) {
    all.push_back(frame);
    all.back().symbol = demangled(name);
    all.back().inlined = true;
  }
  all.push_back(frame);
  return all;
}

void Symbols::add_frames(const Image& image, uint32_t pid, uint64_t address,
                         std::vector<Frame>& to) {
  Modules& modules = modules_of(image);
  auto known = modules.frames.find(address);
  if (known == modules.frames.end()) {
    const Module* module = module_at(image, modules, address);
    if (!module) {
      Frame frame;
      frame.address = address;
      name_by_jit(pid, frame);
      return to.push_back(std::move(frame));
    }
    if (modules.frames.size() == frames_most) modules.frames.clear();
    known = modules.frames.emplace(address, frames_in(*module, address, false)).first;
  }
  to.insert(to.end(), known->second.begin(), known->second.end());
}

// The very instruction: few are asked for, none is remembered.
std::vector<Frame> Symbols::frames_at(const Image& image, uint32_t pid, uint64_t address) {
  if (const Module* module = module_at(image, modules_of(image), address))
    return frames_in(*module, address, true);
  Frame frame;
  frame.address = address;
  name_by_jit(pid, frame);
  return {frame};
}

namespace {
sctrace::Stack::End end_of(const Stack& recorded) {
  return recorded.flags & wire::stack_cut      ? sctrace::Stack::End::cut
         : recorded.flags & wire::stack_broken ? sctrace::Stack::End::broken
                                               : sctrace::Stack::End::whole;
}
}  // namespace

sctrace::Stack Symbols::stack_of(const Call& call) {
  if (!call.stack || !call.stack->image) return {};
  const Stack& recorded = *call.stack;
  if (const auto known = named_.find(&recorded);
      known != named_.end() && known->second.pid == call.pid)
    return known->second.stack;
  std::vector<Frame> frames;
  for (const uint64_t address : recorded.addresses)
    add_frames(*recorded.image, call.pid, address, frames);
  sctrace::Stack stack(std::move(frames), end_of(recorded), recorded.flags & wire::stack_guessed);
  if (named_.size() == named_most) named_.clear();
  named_[&recorded] = {call.stack, call.pid, stack};
  return stack;
}

sctrace::Stack Symbols::stack_of(const Signal& signal) {
  if (!signal.stack || !signal.stack->image || signal.stack->addresses.empty()) return {};
  const Stack& recorded = *signal.stack;
  auto frames = frames_at(*recorded.image, signal.pid, recorded.addresses.front());
  for (size_t i = 1; i < recorded.addresses.size(); ++i)
    add_frames(*recorded.image, signal.pid, recorded.addresses[i], frames);
  return sctrace::Stack(std::move(frames), end_of(recorded), recorded.flags & wire::stack_guessed);
}

}  // namespace sctrace::read
