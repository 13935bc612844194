// <sctrace/reader.hpp>: <sctrace/reader.h> for C++17, with a loop over the events:
//
//   sctrace::reader::Trace trace("trace");
//   for (const auto& event : trace)
//     if (event.kind == SCTRACE_READER_CALL) std::cout << event.text() << '\n';
//
// All of it is in this header and compiled by whoever includes it; an Error is thrown by that code,
// never by the library. What an event gives holds until the loop goes on.
#pragma once
#include <sctrace/reader.h>

#include <cstddef>
#include <cstring>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sctrace::reader {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Value {
 public:
  Value(sctrace_reader* reader, const sctrace_reader_value* value)
      : reader_(reader), value_(value) {}
  explicit operator bool() const { return value_ != nullptr; }  // is there one?
  const sctrace_reader_value* operator->() const { return value_; }
  std::string_view text() const { return {value_->text, value_->length}; }
  std::string_view shown() const { return sctrace_reader_show(reader_, value_); }
  std::size_t size() const { return value_->item_count; }
  Value operator[](std::size_t n) const { return {reader_, value_->items[n]}; }
  // The field of that name; none: false.
  Value field(std::string_view name) const {
    for (std::size_t n = 0; n < size(); ++n)
      if (value_->items[n]->name == name) return (*this)[n];
    return {reader_, nullptr};
  }

 private:
  sctrace_reader* reader_;
  const sctrace_reader_value* value_;
};

// The struct of C, and what can be asked about it.
struct Event : sctrace_reader_event {
  // Of an older library's event, what it has.
  Event(sctrace_reader* reader, const sctrace_reader_event& event)
      : sctrace_reader_event{}, reader_(reader) {
    std::memcpy(static_cast<sctrace_reader_event*>(this), &event,
                event.size < sizeof event ? event.size : sizeof event);
  }
  bool ended() const { return flags & SCTRACE_READER_ENDED; }
  bool failed() const { return flags & SCTRACE_READER_FAILED; }
  std::string_view text() const { return sctrace_reader_text(reader_); }
  Value argument(uint32_t n) const { return {reader_, sctrace_reader_argument(reader_, n)}; }
  Value value() const { return {reader_, sctrace_reader_result(reader_)}; }
  std::string_view path(uint32_t n) const {
    const char* found = sctrace_reader_path(reader_, n);
    return found ? std::string_view(found) : std::string_view();
  }
  // Null behind the outermost.
  const sctrace_reader_frame* caller(uint32_t n) const { return sctrace_reader_caller(reader_, n); }

 private:
  sctrace_reader* reader_;
};

// One pass over a trace: a second loop goes on where the first one stopped.
class Trace {
 public:
  explicit Trace(const std::string& directory, uint32_t options = 0) {
    char error[512];
    reader_.reset(sctrace_reader_open(directory.c_str(), options, error, sizeof error));
    if (!reader_) throw Error(error);
  }

  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Event;
    using difference_type = std::ptrdiff_t;
    using pointer = const Event*;
    using reference = Event;

    Iterator() = default;
    explicit Iterator(sctrace_reader* reader) : reader_(reader) { ++*this; }
    Event operator*() const { return {reader_, *event_}; }
    Iterator& operator++() {
      event_ = sctrace_reader_next(reader_);
      if (!event_)
        if (const char* error = sctrace_reader_error(reader_)) throw Error(error);
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.event_ == b.event_; }
    friend bool operator!=(const Iterator& a, const Iterator& b) { return a.event_ != b.event_; }

   private:
    sctrace_reader* reader_ = nullptr;
    const sctrace_reader_event* event_ = nullptr;
  };
  Iterator begin() { return Iterator(reader_.get()); }
  Iterator end() { return {}; }

  void limit(uint64_t characters) { sctrace_reader_limit(reader_.get(), characters); }
  int64_t wall_offset() const { return sctrace_reader_wall_offset(reader_.get()); }
  const sctrace_reader_losses& losses() { return *sctrace_reader_missing(reader_.get()); }

 private:
  struct Close {
    void operator()(sctrace_reader* reader) const { sctrace_reader_close(reader); }
  };
  std::unique_ptr<sctrace_reader, Close> reader_;
};

}  // namespace sctrace::reader
