// What is taken for a call: data records → its pieces of memory, file records → what its
// descriptors are, stack records → where it was made, within the reader's budget.
#include <algorithm>
#include <cstring>
#include <utility>

#include "formats/read/merge_calls.h"

namespace sctrace::read {

namespace {

// So many bytes may still be held for this call.
uint64_t room_for(const HeldCall& call, const Budget& budget) {
  const uint64_t here = budget.per_call - std::min(budget.per_call, call.bytes);
  return std::min(here, budget.all - std::min(budget.all, budget.held));
}

void charge(HeldCall& call, uint64_t bytes) {
  call.bytes += bytes;
  call.pool->budget.held += bytes;
}

// As new, but for the room that it has for memory. The rest is what most calls have nothing of.
void clear(HeldCall& call) {
  const bool had_more = !call.files.empty() || call.altered || call.stack;
  std::vector<Piece> memory = std::move(call.memory);
  if (had_more) static_cast<Call&>(call) = Call();
  call.pid = call.tid = call.nr = 0;
  std::fill(std::begin(call.args), std::end(call.args), 0);
  call.argc = call.how = 0;
  call.result = 0;
  call.site = call.began = call.finished = 0;
  call.trap = call.ended = false;
  call.memory = std::move(memory);
  call.bytes = 0;
}

}  // namespace

CallRef CallPool::take() {
  if (calls_.empty()) {
    auto* call = new HeldCall;
    call->pool = this;
    return CallRef(call);
  }
  CallRef call(calls_.back().release());
  calls_.pop_back();
  return call;
}

std::vector<uint8_t> CallPool::bytes() {
  if (bytes_.empty()) return {};
  std::vector<uint8_t> bytes = std::move(bytes_.back());
  bytes_.pop_back();
  return bytes;
}

void CallPool::keep(std::vector<Piece>& pieces) {
  constexpr size_t usual = 8192, most = 256;  // what is larger goes back to the heap
  for (Piece& piece : pieces) {
    if (bytes_.size() == most || !piece.bytes.capacity() || piece.bytes.capacity() > usual)
      continue;
    piece.bytes.clear();
    bytes_.push_back(std::move(piece.bytes));
  }
  pieces.clear();
  if (pieces.capacity() > 64) pieces.shrink_to_fit();
}

void CallPool::give_back(HeldCall* call) {
  constexpr size_t most = 4096;
  budget.held -= call->bytes;
  std::unique_ptr<HeldCall> one(call);
  if (calls_.size() == most) return;
  keep(one->memory);
  clear(*one);
  calls_.push_back(std::move(one));
}

void CallReader::on_data(const Step& step) {
  auto& open = owner().open;
  if (open.empty()) return;  // its entry is in a block that is gone
  Frame& frame = open.back();
  HeldCall& call = *frame.call;
  wire::Data data;
  std::memcpy(&data, step.bytes.data(), sizeof data);
  const uint64_t kept = data.where >> 48;
  // Behind what engines made of it, what goes in is of that.
  auto& into = call.altered && !(data.flags & wire::data_out) ? call.altered->memory : call.memory;
  const bool goes_on = frame.more && !into.empty();
  frame.more = data.flags & wire::data_more;
  if (!goes_on) {
    if (room_for(call, pool_->budget) < sizeof(Piece)) {
      ++pool_->budget.cut;
      frame.more = false;
      return;
    }
    charge(call, sizeof(Piece));
    into.emplace_back();
    Piece& piece = into.back();
    piece.address = data.where & 0xffff'ffff'ffff;
    piece.out = data.flags & wire::data_out;
    piece.exact = data.flags & wire::data_exact;
    piece.bytes = pool_->bytes();
  }
  Piece& piece = into.back();
  piece.wanted = std::max<uint64_t>(piece.wanted, data.wanted);
  piece.cut = piece.cut || data.flags & wire::data_cut;
  piece.fault = piece.fault || data.flags & wire::data_fault;
  piece.redacted = piece.redacted || data.flags & wire::data_redacted;
  const uint64_t take = std::min(kept, room_for(call, pool_->budget));
  const uint8_t* from = step.bytes.data() + sizeof data;
  piece.bytes.insert(piece.bytes.end(), from, from + take);
  charge(call, take);
  if (take < kept) piece.cut = true, ++pool_->budget.cut;
  piece.wanted = std::max<uint64_t>(piece.wanted, piece.bytes.size());
}

void CallReader::on_altered(const Step& step) {
  auto& open = owner().open;
  if (open.empty()) return;
  HeldCall& call = *open.back().call;
  wire::Altered record;
  std::memcpy(static_cast<void*>(&record), step.bytes.data(), sizeof record);
  if (!call.altered) call.altered.emplace();
  Altered& altered = *call.altered;
  altered.flags = record.header.flags;
  altered.nr = record.nr;
  std::copy(record.args, record.args + 6, altered.args);
  altered.answer = record.result;
  open.back().more = false;
}

// Stacks are held for a block, whose size bounds them.
void CallReader::on_stack(const Step& step) {
  wire::Stack record;
  std::memcpy(&record, step.bytes.data(), sizeof record);
  auto& known = stacks_[record.place];
  if (!(record.flags & wire::stack_again)) {
    auto told = std::make_shared<Stack>();
    told->flags = record.flags;
    told->image = &image_->image;
    told->addresses.resize((step.bytes.size() - sizeof record) / 8);
    std::memcpy(told->addresses.data(), step.bytes.data() + sizeof record,
                told->addresses.size() * 8);
    known = std::move(told);
  }
  if (signal_) signal_->stack = known;
  if (after_signal_) return;
  auto& open = owner().open;
  if (!open.empty()) open.back().call->stack = known;
}

void CallReader::on_file(const Step& step) {
  wire::File record;
  std::memcpy(static_cast<void*>(&record), step.bytes.data(), sizeof record);
  const char* at = reinterpret_cast<const char*>(step.bytes.data()) + sizeof record;
  const auto take = [&at](size_t n) { return std::string(std::exchange(at, at + n), n); };
  OpenFile file;
  file.fd = record.fd, file.flags = record.header.flags, file.mode = record.mode;
  file.device = record.device, file.inode = record.inode, file.special = record.special;
  file.kind = record.kind, file.protocol = record.protocol;
  file.path = take(record.path_bytes);  // lengths: wrong_with()
  file.name = take(record.name_bytes);
  file.peer = take(record.peer_bytes);
  constexpr size_t most = 4096;  // of one program; a writer tells 512
  if (!events_.empty() && events_.back().kind == Item::Kind::thread && events_.back().undecided) {
    auto& files = events_.back().thread->files;
    if (files.size() < most) files.push_back(std::move(file));
    return;
  }
  auto& open = owner().open;
  if (open.empty()) return;  // its entry is in a block that is gone
  HeldCall& call = *open.back().call;
  const uint64_t bytes = sizeof file + step.bytes.size();
  if (room_for(call, pool_->budget) < bytes) return void(++pool_->budget.cut);
  charge(call, bytes);
  call.files.push_back(std::move(file));
}

}  // namespace sctrace::read
