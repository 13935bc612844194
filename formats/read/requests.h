// The structs of ioctl requests that members.def cannot say; one file a family. Each function gets
// the whole struct as it was read, and where it lies.
#pragma once
#include "arch/requests.h"
#include "formats/read/structs.h"

namespace sctrace::read {

// request_structs.cc: which family it is
Value request_struct(const Scene& s, arch::Layout layout, const uint8_t* bytes, const Place& place);
// What can be shown although not all of it could be read; nothing: it takes the whole struct.
Value partial_struct(const Scene& s, arch::Layout layout, const Place& place);

// request_values.cc: plain values that say more than their number, and requests without a row.
Value request_value(const Scene& s, const arch::Request& request, uint64_t raw);
Value undescribed(const Scene& s, uint32_t number, uint64_t raw);

Value hexadecimal_text(const Scene& s, uint64_t at, uint64_t n, bool out);  // "\x01\x02…"
Value bare_text(std::string text);  // shown as it is, in every style
Value unreadable();                 // ???

Value mapper_request(const Scene& s, const Place& place);  // DM_*

// By family; each answers nothing to what is not its own.
Value tty_struct(const Scene&, arch::Layout, const uint8_t*);
Value keyboard_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);
Value keyboard_partial(const Scene&, arch::Layout, const Place&);
Value block_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);
Value scsi_command(const Scene&, uint64_t at);  // SG_IO: shown in full whatever came of it
Value scsi_reset(const uint8_t*);
Value interface_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);
Value clock_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);  // rtc, ptp
Value video_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);
Value video_controls(const Scene&, uint64_t at);  // VIDIOC_*_EXT_CTRLS: likewise
Value video_control_id(const uint8_t*, bool flagged);
Value video_control(const Scene&, const uint8_t*, bool out);
Value queried_control(const Scene&, const uint8_t*, const Place&, bool extended);
Value trusted_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);  // tee
Value uuid(const uint8_t*);
Value btrfs_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);
Value unicode_table(const Scene&, uint64_t at);  // GIO_UNIMAP: its count before and after
Value input_struct(const Scene&, arch::Layout, const uint8_t*);
Value input_request(const Scene&, uint32_t request, uint64_t at);  // those of any size
Value device_struct(const Scene&, arch::Layout, const uint8_t*, const Place&);

}  // namespace sctrace::read
