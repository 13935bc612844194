#include <fmt/format.h>

#include <cerrno>
#include <cstring>

#include "arch/requests.h"
#include "formats/read/decode.h"
#include "formats/read/requests.h"

namespace sctrace::read {

using arch::Result;
using arch::Set;

namespace {

// What it was before, its argument says; now it is what the other one is.
Value copied_descriptor(const Scene& s, int32_t fd) {
  Value v = descriptor(s, static_cast<int32_t>(s.call.args[0]));
  v.number = static_cast<uint64_t>(int64_t{fd});
  return v;
}

Value result_value(const Scene& s) {
  const int64_t r = s.call.result;
  switch (s.row.result) {
    case Result::fd:
      if (s.call.nr == arch::nr_landlock_create_ruleset && s.call.args[2] & 1) break;  // a version
      if (r > INT32_MAX) break;                            // somebody put it there
      if (s.call.nr == arch::nr_open_by_handle_at) break;  // a plain number, in strace too
      if (s.call.nr == arch::nr_dup2 || s.call.nr == arch::nr_dup3)
        return copied_descriptor(s, static_cast<int32_t>(r));
      return descriptor(s, static_cast<int32_t>(r));
    case Result::address:
    case Result::hexadecimal: return value_hex(static_cast<uint64_t>(r));
    case Result::octal: return value_number(r, Value::Base::mode);
    case Result::uid:
    case Result::gid: return value_unsigned(static_cast<uint64_t>(r));
    case Result::number:
    case Result::count:
    case Result::offset:
    case Result::pid: {
      using namespace arch;
      const bool group = s.call.nr == nr_getpgid || s.call.nr == nr_getpgrp ||
                         s.call.nr == nr_getsid || s.call.nr == nr_setsid;
      return group ? value_number(r) : task_value(s, r);
    }
    case Result::never:
    case Result::ticks: break;
  }
  return value_number(r);
}

// Results that are words: shown as a number, with what it means behind it.
void explain(const Scene& s, Event& e, const char* name, Value meaning) {
  e.value = value_hex(static_cast<uint64_t>(s.call.result));
  if (meaning.number || meaning.kind == Value::Kind::word)
    e.after.push_back(named(name, std::move(meaning)));
}

void explain_fcntl(const Scene& s, Event& e) {
  const uint32_t op = static_cast<uint32_t>(s.call.args[1]);
  const uint64_t r = static_cast<uint64_t>(s.call.result);
  if (op == 1) explain(s, e, "flags", words(Set::fd_flags, r));
  if (op == 3) explain(s, e, "flags", words(Set::open_flags, r));
  if (op == 1034) explain(s, e, "seals", words(Set::seal_flags, r));
  if (op == 1025) explain(s, e, "", word(Set::lock_types, r));
  if (op == 11 && r) explain(s, e, "", signal_value(r)), e.value = value_number(s.call.result);
  if (op == 0 || op == 1030) e.value = descriptor(s, static_cast<int32_t>(r));
}

void explain_prctl(const Scene& s, Event& e) {
  const uint64_t r = static_cast<uint64_t>(s.call.result);
  const auto plainly = [&](Value meaning) {
    explain(s, e, "", std::move(meaning)), e.value = value_number(s.call.result);
  };
  const uint32_t option = static_cast<uint32_t>(s.call.args[0]);
  switch (option) {
    case 34: plainly(word(Set::prctl_mce_policy, r)); break;
    case 3: plainly(word(Set::prctl_dumpable, r)); break;
    case 27:
      if (r) explain(s, e, "", words(Set::securebits, r));
      break;
    case 46:
      if (r) explain(s, e, "", words(Set::prctl_fp_mode, r));
      break;
    case 50:
    case 51:
    case 63:
    case 64:
      e.value = value_hex(r);
      if (r & ~0xffffull)
        explain(s, e, "", vector_length(r, option < 60 ? Set::prctl_vl : Set::prctl_sme_vl));
      break;
    case 56: e.value = value_hex(r), e.after.push_back(tagged_addresses(r)); break;
    case 52:
      if (r) explain(s, e, "", words(Set::prctl_speculation_get, r));
      break;
    case 61:
      e.value = value_hex(r);
      if (r) explain(s, e, "", words(Set::prctl_pac_enabled, r, true));
      break;
    default: break;
  }
}

// What the kernel itself said where the program was told EINTR (a signal came): as strace sees it.
int64_t before_restart(const Call& call) {
  using namespace arch;
  switch (call.nr) {
    case nr_pause:
    case nr_rt_sigsuspend:
    case nr_select:
    case nr_pselect6:
    case nr_ppoll:
    case nr_msgsnd:
    case nr_msgrcv: return 514;
    case nr_poll:
    case nr_nanosleep: return 516;
    case nr_clock_nanosleep: return call.args[1] & 1 ? 514 : 516;
    case nr_read:
    case nr_write:
    case nr_readv:
    case nr_writev:
    case nr_pread64:
    case nr_pwrite64:
    case nr_wait4:
    case nr_waitid:
    case nr_accept:
    case nr_accept4:
    case nr_connect:
    case nr_recvfrom:
    case nr_sendto:
    case nr_recvmsg:
    case nr_sendmsg:
    case nr_flock:
    case nr_open:
    case nr_openat:
    case nr_ioctl:
    case nr_splice:
    case nr_tee:
    case nr_getrandom: return 512;
    case nr_futex: return call.args[3] && (call.args[1] & 127) == 0 ? 516 : 512;
    default: return 4;
  }
}

// What some requests of ioctl answer by their result.
void explain_ioctl(const Scene& s, Event& e) {
  namespace r = arch::requests;
  const int32_t result = static_cast<int32_t>(s.call.result);
  switch (static_cast<uint32_t>(s.call.args[1])) {
    case r::io_NS_GET_NSTYPE:
      e.after.push_back(word(Set::setns_types, static_cast<uint32_t>(result)));
      return;
    case r::io_NS_GET_USERNS:
    case r::io_NS_GET_PARENT:
    case r::io_KVM_CREATE_VM:
    case r::io_KVM_CREATE_VCPU: e.value = descriptor(s, result); return;
    case r::io_VIDIOC_CREATE_BUFS: {
      uint32_t made[bytes_of(arch::Layout::v4l2_create) / 4];
      if (!s.memory.whole(made, s.call.args[2], sizeof made, true)) return;
      Value v = value_of(Value::Kind::structure);
      v.items = {named("index", value_unsigned(made[0])), named("count", value_unsigned(made[1]))};
      e.after.push_back(v);
      return;
    }
    default: return;
  }
}

void explain_others(const Scene& s, Event& e) {
  const uint64_t r = static_cast<uint64_t>(s.call.result);
  const auto plainly = [&](Value meaning) { e.after.push_back(std::move(meaning)); };
  switch (s.call.nr) {
    case arch::nr_fcntl: return explain_fcntl(s, e);
    case arch::nr_ioctl: return explain_ioctl(s, e);
    case arch::nr_bpf:
      // Links of raw tracepoints and what has no attributes: strace has a plain number there.
      if (const auto command = static_cast<uint32_t>(s.call.args[0]);
          command != 17 && command < 32 && r <= INT32_MAX && made_by_bpf(command))
        e.value = descriptor(s, static_cast<int32_t>(r));
      return;
    case arch::nr_prctl: return explain_prctl(s, e);
    case arch::nr_arch_prctl:
      if (r && (s.call.args[0] == 0x1023 || s.call.args[0] == 0x1025))
        explain(s, e, "", words(Set::xfeature_masks, r));
      return;
    case arch::nr_adjtimex:
    case arch::nr_clock_adjtime: return plainly(word(Set::adjtimex_state, r));
    case arch::nr_sched_getscheduler: return plainly(word(Set::sched_policies, r));
    case arch::nr_ioprio_get: {
      Value v = io_priority(static_cast<uint32_t>(r));
      v.numbered = false;
      return plainly(v);
    }
    case arch::nr_personality:
      e.value = value_hex(r);
      return plainly(personality_value(static_cast<uint32_t>(r)));
    case arch::nr_modify_ldt:  // an error in 32 bits
      if (const int64_t code = int64_t{1} << 32; e.result < code && e.result >= code - 4095) {
        const auto error = static_cast<int>(code - e.result);
        e.value = bare_text(
            fmt::format("{} {} ({})", e.result, strerrorname_np(error), strerrordesc_np(error)));
      }
      return;
    case arch::nr_time: return plainly(bare_text(moment(static_cast<int64_t>(r))));
    case arch::nr_rt_sigtimedwait: return plainly(signal_value(r));
    case arch::nr_membarrier:
      if (!s.call.args[0]) explain(s, e, "", words(Set::membarrier_commands, r));
      return;
    case arch::nr_ptrace:
      if (s.call.args[0] <= 3 && s.call.args[0]) e.value = value_hex(r);
      return;
    default: return;
  }
}

}  // namespace

Value personality_value(uint32_t v) {
  Value base = word(Set::personality_base, v & 255),
        flags = words(Set::personality_flags, v & ~255u);
  if (!flags.number) return base;
  Value both = value_of(Value::Kind::either);
  both.items = {base, flags};
  return both;
}

Value io_priority(uint32_t v) {
  Value value = value_macro("IOPRIO_PRIO_VALUE",
                            {word(Set::ioprio_class, v >> 13), value_unsigned(v & 8191)});
  value.number = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(v)));
  value.base = Value::Base::decimal;
  value.numbered = true;
  return value;
}

void add_result(const Scene& s, Event& e) {
  const Call& call = s.call;
  const uint8_t altered = call.altered ? call.altered->flags : 0;
  e.altered = altered & (wire::altered_arguments | wire::altered_memory);
  e.delayed = altered & wire::altered_delayed;
  if (!call.ended) return;
  e.injected = call.how & wire::exit_skipped || altered & wire::altered_result;
  const bool told = !e.injected && call.result == -4 && before_restart(call) != 4;
  e.restarted =
      (call.how & wire::exit_restarted) || (call.result <= -512 && call.result >= -516) || told;
  if (e.restarted && call.result > -512) {
    const int64_t kernel = before_restart(call);
    e.result = kernel == 4 ? -512 : -kernel;
  }
  if (e.restarted) return;
  const bool never_fails = s.row.result == Result::uid || s.row.result == Result::gid ||
                           s.row.result == Result::octal || s.row.result == Result::ticks;
  e.failed =
      call.result < 0 && call.result >= -4095 && !(s.row.whole && never_fails && s.row.arity == 0);
  if (e.failed) return;
  e.value = result_value(s);
  if (s.coded()) explain_others(s, e);
}

}  // namespace sctrace::read
