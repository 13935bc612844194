#include <algorithm>
#include <cstring>

#include "formats/read/requests.h"
#include "formats/text.h"

namespace sctrace::read {

using arch::Layout;
using arch::Set;
using Kind = Value::Kind;

namespace {

Value poll_entry(const Scene& s, const uint8_t* b) {
  Builder f;
  const int32_t fd = peek<int32_t>(b);
  f.add("fd", descriptor(s, fd));
  if (fd >= 0) f.add("events", words(Set::poll_events, peek<uint16_t>(b + 4)));
  return f.done();
}

Value capabilities_set(const uint8_t* b, size_t at) {
  uint64_t bits = 0;
  (void)at;
  bits = peek<uint32_t>(b);
  Value v = value_of(Kind::words);
  v.base = Value::Base::hexadecimal;
  v.number = bits;
  for (uint32_t i = 0; i < 32; ++i)
    if (bits >> i & 1) v.items.push_back(word(Set::capabilities, i));
  return v;
}

Value node_mask(const Scene& s, uint64_t at, uint64_t bytes, bool out) {
  // The kernel counts one bit less than it is told, for sets that it reads.
  const size_t index = s.call.nr == arch::nr_mbind           ? 4
                       : s.call.nr == arch::nr_migrate_pages ? 1
                                                             : 2;
  if (s.call.args[index] == 1 || (s.call.args[index] && !bytes)) return value_address(at);
  if (s.call.args[index] % 64 == 1 && bytes) bytes -= 8;
  const std::string all = s.memory.bytes(at, bytes, out);
  if (bytes && all.size() < 8) return value_address(at);
  Value list = value_of(Kind::list);
  for (size_t i = 0; i + 8 <= all.size(); i += 8) {
    const uint64_t bits = peek<uint64_t>(reinterpret_cast<const uint8_t*>(all.data()) + i);
    list.items.push_back(value_number(static_cast<int64_t>(bits), Value::Base::padded));
  }
  list.whole = bytes / 8;
  if (list.items.size() < list.whole && !s.memory.shortened(at, bytes, out))
    list.rest = at + list.items.size() * 8;
  list.bounded = true;
  return list;
}

// Only then a mount_attr's descriptor means one.
bool is_mapped(const uint8_t* mount_attributes) {
  constexpr uint64_t idmap = 0x100000;
  return (peek<uint64_t>(mount_attributes) | peek<uint64_t>(mount_attributes + 8)) & idmap;
}

void name_sender(const Scene& s, Value& siginfo) {
  for (Value& field : siginfo.items)
    if (field.name == "si_pid")
      field = named("si_pid", task_value(s, static_cast<int64_t>(field.number)));
}

Value processors(const uint8_t* b, uint64_t n) {
  Value v = value_of(Kind::members);
  for (uint64_t i = 0; i < n * 8; ++i)
    if (b[i / 8] >> i % 8 & 1) v.items.push_back(value_unsigned(i));
  return v;
}

}  // namespace

Value fd_set_value(const Scene& s, const uint8_t* b, uint64_t count) {
  Value v = value_of(Kind::members);
  for (uint64_t i = 0; i < count; ++i)
    if (b[i / 8] >> i % 8 & 1) v.items.push_back(descriptor(s, static_cast<int32_t>(i)));
  return v;
}

Value sized_value(const Scene& s, Layout layout, uint64_t at, uint64_t bytes, bool out) {
  if (layout == Layout::dirents || layout == Layout::dirents64)
    return directory_entries(s, at, bytes, layout == Layout::dirents64);
  if (layout == Layout::nodemask) return node_mask(s, at, bytes, out);
  if (layout == Layout::msgbuf) {
    Value v = value_of(Kind::structure);
    int64_t type = 0;
    if (!s.memory.whole(&type, at, 8, out)) return value_address(at);
    v.items.push_back(named("mtype", value_number(type)));
    v.items.push_back(named("mtext", text_at(s, at + 8, bytes, out)));
    return v;
  }
  switch (layout) {
    case Layout::mount_question:
    case Layout::mount_list_question: return mount_question(s, layout, at);
    case Layout::statmount: return statmount_value(s, at, bytes);
    case Layout::xattr_args:
    case Layout::xattr_wanted: return extended_attribute(s, at, bytes);
    case Layout::file_attr: return file_attributes(s, at, bytes, out);
    case Layout::lsm_ctx: return security_contexts(s, at, bytes, out);
    case Layout::ring_probe: return ring_operations(s, at, bytes, out);
    case Layout::ring_new_files:
    case Layout::ring_new_buffers:
    case Layout::ring_other_files:
    case Layout::ring_other_buffers: return ring_resources(s, layout, at, bytes);
    case Layout::stop_info: return stop_information(s, at, bytes);
    case Layout::seccomp_metadata: return seccomp_metadata(s, at, bytes);
    default: break;
  }
  if (layout >= Layout::bpf_attr && layout <= Layout::bpf_query)
    return bpf_attributes(s, at, bytes, out);
  constexpr uint64_t sets_most = 1 << 17;  // bytes, as preload takes
  const uint64_t most = std::min<uint64_t>(bytes, layout == Layout::fd_set ? sets_most : 4096);
  std::string all = s.memory.bytes(at, most, out);
  const auto* b = reinterpret_cast<const uint8_t*>(all.data());
  switch (layout) {
    case Layout::sigset: return all.size() < 8 || bytes != 8 ? value_address(at) : signal_set(b, 8);
    case Layout::fd_set: {
      const int32_t count = static_cast<int32_t>(s.call.args[0]);
      if (count < 0) return value_address(at);
      // The table may say less than the call, and takes no more.
      constexpr int32_t open_most = 1 << 20;
      const auto bits = static_cast<uint64_t>(std::min(count, open_most));
      const bool whole = all.size() >= bytes && bits <= all.size() * 8;
      return whole ? fd_set_value(s, b, bits) : value_address(at);
    }
    case Layout::sockaddr:
      if (bytes == ~0ull || bytes < 2 || all.size() < std::min<uint64_t>(bytes, 128))
        return value_address(at);
      return sockaddr_value(s, b, std::min<size_t>(all.size(), 128));
    case Layout::cpu_mask:
      return all.size() < bytes || !bytes ? value_address(at) : processors(b, bytes);
    case Layout::mincore_bits: {
      if (all.size() < most) return value_address(at);
      Value list = value_of(Kind::list);
      list.bounded = true;
      for (uint8_t c : all) list.items.push_back(value_unsigned(c & 1u));
      list.whole = bytes;
      return list;
    }
    default: break;
  }
  if (all.empty()) return value_address(at);
  const size_t known = all.size();
  all.resize(std::max<size_t>(known, 256));
  static constexpr struct {
    Layout layout;
    uint64_t least, known;
  } sizes[] = {{Layout::open_how, 24, 24},       {Layout::clone_args, 64, 88},
               {Layout::landlock_ruleset, 8, 8}, {Layout::ldt_desc, 16, 16},
               {Layout::mount_attr, 32, 32},     {Layout::sched_attr, 48, 56}};
  for (const auto& size : sizes)
    if (size.layout == layout && (bytes < size.least || known < std::min(bytes, size.known)))
      return value_address(at);
  Value v = layout == Layout::clone_args
                ? clone_arguments(s, reinterpret_cast<const uint8_t*>(all.data()), bytes)
                : other_value(s, layout, reinterpret_cast<const uint8_t*>(all.data()), at, out);
  for (const auto& size : sizes)
    if (size.layout == layout && bytes > size.known && v.kind == Kind::structure)
      add_behind(s, v, at, size.known, bytes, out);
  return v;
}

void add_reserved(Builder& to, const char* name, const uint8_t* b, size_t count) {
  if (std::all_of(b, b + count * 4, [](uint8_t byte) { return !byte; })) return;
  Value list = value_of(Value::Kind::list);
  for (size_t i = 0; i < count; ++i) list.items.push_back(value_hex(peek<uint32_t>(b + i * 4)));
  list.whole = count;
  list.bounded = true;
  to.add(name, std::move(list));
}

// What lies behind the part of a struct that is known: shown if it is not all zero.
void add_behind(const Scene& s, Value& v, uint64_t at, uint64_t known, uint64_t bytes, bool out) {
  if (s.call.nr == arch::nr_landlock_create_ruleset) {  // strace does not look at it
    v.numbered = true;
    return;
  }
  const uint64_t wanted = std::min<uint64_t>(bytes, 4096) - known;
  const std::string rest = s.memory.bytes(at + known, wanted, out);
  if (rest.size() < wanted) {
    v.cut = true;
    return;
  }
  if (rest.find_first_not_of('\0') == rest.npos) return;
  Value text = value_text(rest);
  text.numbered = true;
  text.number = known;
  v.items.push_back(text);
}

Value filter_program(const Scene& s, const uint8_t* b, bool) {
  const uint64_t count = peek<uint16_t>(b), at = peek<uint64_t>(b + 8);
  Builder f;
  f.add("len", value_unsigned(count));
  Value program = elements(s, Layout::sock_filter, at, std::min<uint64_t>(count, 4096), false);
  if (count > 4096) program.whole = count;
  program.unknown = "program";  // shown by -v only
  program.number = at;
  f.add("filter", program);
  return f.done();
}

Value other_value(const Scene& s, Layout layout, const uint8_t* b, uint64_t at, bool out) {
  switch (layout) {
    case Layout::stat: return stat_value(s, b);
    case Layout::statx: return statx_value(s, b);
    case Layout::sigaction: return sigaction_value(s, b, out);
    case Layout::siginfo: {
      Value v = siginfo_value(b, 128);
      name_sender(s, v);
      return v;
    }
    case Layout::sigevent: return sigevent_value(s, b);
    case Layout::pollfd: return poll_entry(s, b);
    case Layout::wait_status: {
      Value v = value_of(Kind::wait_status);
      v.number = peek<uint32_t>(b);
      v.braced = true;
      return v;
    }
    case Layout::iocb: return block_control(s, b);
    case Layout::iocb_pointer: {
      std::string buffer(64, '\0');
      const uint64_t to = peek<uint64_t>(b);
      if (!s.memory.whole(buffer.data(), to, 64, false)) return value_address(to);
      return block_control(s, reinterpret_cast<const uint8_t*>(buffer.data()));
    }
    case Layout::sched_param: {
      Value v = value_of(Kind::list);
      v.items.push_back(value_number(peek<int32_t>(b)));
      v.whole = 1;
      return v;
    }
    case Layout::sched_attr: return scheduling(b, false);
    case Layout::cap_header:
      return Builder()
          .add("version", word(Set::capability_versions, peek<uint32_t>(b)))
          .add("pid", task_value(s, peek<int32_t>(b + 4)))
          .done();
    case Layout::cap_data:
      return Builder()
          .add("effective", capabilities_set(b, 0))
          .add("permitted", capabilities_set(b + 4, 0))
          .add("inheritable", capabilities_set(b + 8, 0))
          .done();
    case Layout::shmid_ds: return shared_memory(b, out);
    case Layout::msqid_ds: return message_queue(b, out);
    case Layout::semid_ds: return semaphores(b, out);
    case Layout::sembuf:
      return Builder()
          .add("sem_num", value_unsigned(peek<uint16_t>(b)))
          .add("sem_op", value_number(peek<int16_t>(b + 2)))
          .add("sem_flg", words(Set::sem_flags, peek<uint16_t>(b + 4)))
          .done();
    case Layout::futex_waitv: {
      Builder f;
      f.add("val", value_hex(peek<uint64_t>(b)))
          .add("uaddr", value_address(peek<uint64_t>(b + 8)))
          .add("flags", words(Set::futex_waitv_flags, peek<uint32_t>(b + 16)));
      if (peek<uint32_t>(b + 20)) f.add("__reserved", value_hex(peek<uint32_t>(b + 20)));
      return f.done();
    }
    case Layout::landlock_ruleset:
      return Builder()
          .add("handled_access_fs", words(Set::landlock_access, peek<uint64_t>(b), true))
          .done();
    case Layout::landlock_path_beneath:
      return Builder()
          .add("allowed_access", words(Set::landlock_access, peek<uint64_t>(b), true))
          .add("parent_fd", descriptor(s, peek<int32_t>(b + 8)))
          .done();
    case Layout::sock_fprog: return filter_program(s, b, out);
    case Layout::remote_iovec:
      return Builder()
          .add("iov_base", value_address(peek<uint64_t>(b)))
          .add("iov_len", value_unsigned(peek<uint64_t>(b + 8)))
          .done();
    case Layout::open_how: {
      Builder f;
      const uint64_t flags = peek<uint64_t>(b);
      f.add("flags", words(Set::open_flags, flags, true));
      if (peek<uint64_t>(b + 8) || flags & 0x400040)
        f.add("mode", value_number(static_cast<int64_t>(peek<uint64_t>(b + 8)), Value::Base::mode));
      return f.add("resolve", words(Set::resolve_flags, peek<uint64_t>(b + 16), true)).done();
    }
    case Layout::mount_attr:
      return Builder()
          .add("attr_set", words(Set::mount_attributes, peek<uint64_t>(b), true))
          .add("attr_clr", words(Set::mount_attributes, peek<uint64_t>(b + 8), true))
          .add("propagation", word(Set::propagations, peek<uint64_t>(b + 16), true))
          .add("userns_fd", peek<uint64_t>(b + 24) > 0x7fffffff || !is_mapped(b)
                                ? value_unsigned(peek<uint64_t>(b + 24))
                                : descriptor(s, static_cast<int32_t>(peek<uint64_t>(b + 24))))
          .done();
    case Layout::kexec_segment:
      return Builder()
          .add("buf", value_address(peek<uint64_t>(b)))
          .add("bufsz", value_unsigned(peek<uint64_t>(b + 8)))
          .add("mem", value_address(peek<uint64_t>(b + 16)))
          .add("memsz", value_unsigned(peek<uint64_t>(b + 24)))
          .done();
    case Layout::ustat: {
      std::string name(reinterpret_cast<const char*>(b) + 16,
                       strnlen(reinterpret_cast<const char*>(b) + 16, 6));
      return Builder()
          .add("f_tfree", value_number(peek<int32_t>(b)))
          .add("f_tinode", value_unsigned(peek<uint64_t>(b + 8)))
          .done();
    }
    case Layout::task_name: {
      Value v = value_text(std::string(reinterpret_cast<const char*>(b),
                                       strnlen(reinterpret_cast<const char*>(b), 16)));
      return v;
    }
    case Layout::pselect_mask: {
      Builder f;
      const uint64_t to = peek<uint64_t>(b), n = peek<uint64_t>(b + 8);
      f.add("sigmask", structure(s, Layout::sigset, to, n, false))
          .add("sigsetsize", value_unsigned(n));
      return f.done();
    }
    case Layout::page_status: {
      const int32_t n = peek<int32_t>(b);
      Value v = value_of(Kind::word);
      v.number = static_cast<uint64_t>(static_cast<int64_t>(n));
      if (n < 0 && !errno_name(-n).empty()) v.text = '-' + errno_name(-n);
      return v;
    }
    case Layout::ldt_desc: return thread_area(b);
    case Layout::sock_filter:
      return filter_step(b, s.call.nr != arch::nr_setsockopt && s.call.nr != arch::nr_getsockopt);
    case Layout::bpf_insn: return instruction_value(b);
    case Layout::io_uring_params: return ring_parameters(s, b);
    case Layout::ring_file:
    case Layout::ring_files:
    case Layout::ring_restriction:
    case Layout::ring_own: return ring_struct(s, layout, b);
    case Layout::key_derivation: return key_derivation(s, b);
    case Layout::rseq:
    case Layout::clone_args:
    case Layout::perf_event_attr:
    case Layout::bpf_attr:
    case Layout::termios:
    case Layout::file_handle: {
      const uint32_t n = peek<uint32_t>(b);
      constexpr uint32_t most = 128;  // MAX_HANDLE_SZ
      Value bytes = value_text(s.memory.bytes(at + 8, std::min(n, most), out));
      bytes.bare = bytes.path = true;  // in hex and whole
      bytes.cut = n > most;
      const bool known = bytes.text.size() == std::min(n, most);
      Value unknown = value_of(Kind::word);
      unknown.text = "???";
      unknown.bare = true;
      return Builder()
          .add("handle_bytes", value_unsigned(n))
          .add("handle_type", value_number(peek<int32_t>(b + 4)))
          .add("f_handle", known ? bytes : unknown)
          .done();
    }
    default: break;
  }
  return request_struct(s, layout, b, {at, out});
}

}  // namespace sctrace::read
