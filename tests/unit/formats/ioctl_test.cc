#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/gpio.h>
#include <linux/loop.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <linux/tee.h>
#include <linux/videodev2.h>
#include <net/if.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>

#include <cstring>
#include <new>

#include "arch/requests.h"
#include "formats/read/decode.h"
#include "formats/text.h"
#include "tests/support/catch.h"

using namespace sctrace;
using Catch::Matchers::Equals;

namespace {

constexpr uint64_t place = 0x1000;

read::Piece piece(uint64_t at, const void* bytes, size_t n, bool out = false) {
  read::Piece p;
  p.address = at;
  p.wanted = n;
  p.bytes.assign(static_cast<const uint8_t*>(bytes), static_cast<const uint8_t*>(bytes) + n);
  p.out = out;
  return p;
}

read::Call call(uint64_t request, uint64_t arg, int64_t result = -9) {
  read::Call c;
  c.nr = arch::nr_ioctl;
  c.args[0] = 3, c.args[1] = request, c.args[2] = arg;
  c.argc = 3;
  c.ended = true;
  c.result = result;
  return c;
}

// The request and its argument, as text shows them.
std::string text(const read::Call& c, TextOptions options = {}) {
  const Event e = read::decode(c);
  std::string out = shown(e.args[1], options);
  if (e.args[2].kind != Value::Kind::absent) out += ", " + shown(e.args[2], options);
  return out;
}

}  // namespace

TEST_CASE("a request is found by its number", "[arch][ioctl]") {
  const arch::Request* request = arch::request_of(TIOCGWINSZ);
  REQUIRE(request);
  CHECK(request->after == arch::Layout::winsize);
  CHECK(request->way == arch::Way::out);
  CHECK_FALSE(arch::request_of(0xffffffff));
  CHECK_FALSE(arch::request_of(0));
}

TEST_CASE("every struct of a request has a size of its own", "[arch][ioctl]") {
  for (const arch::Request& r : arch::all_requests) {
    INFO(std::hex << r.number);
    if (r.kind != arch::Kind::structure) continue;
    CHECK((r.way == arch::Way::out || r.before != arch::Layout::none));
    CHECK((r.way == arch::Way::in || r.after != arch::Layout::none));
  }
}

TEST_CASE("a number may have several names, or a length in it", "[formats][ioctl]") {
  CHECK_THAT(text(call(0x5204, 0)), Equals("FASTRPC_IOCTL_INIT_ATTACH or RNDZAPENTCNT"));
  CHECK_THAT(text(call(0x80104506, 5)), Equals("EVIOCGNAME(16), 0x5"));
  CHECK_THAT(text(call(0x80084521, 0)), Equals("EVIOCGBIT(EV_KEY, 8), NULL"));
  CHECK_THAT(text(call(0xc0005401 | 16 << 16, 7)),
             Equals("_IOC(_IOC_READ|_IOC_WRITE, 0x54, 0x1, 0x10), 0x7"));
}

TEST_CASE("a failed request shows what the kernel was told", "[formats][ioctl]") {
  const fstrim_range range{1, 2, 3};
  read::Call c = call(FITRIM, place);
  c.memory.push_back(piece(place, &range, sizeof range));
  CHECK_THAT(text(c), Equals("FITRIM, {start=0x1, len=2, minlen=3}"));
  const int flags = 0;
  read::Call g = call(FIONREAD, place);
  g.memory.push_back(piece(place, &flags, sizeof flags));
  CHECK_THAT(text(g), Equals("FIONREAD, 0x1000"));
}

TEST_CASE("a struct grows by what the kernel added to it", "[formats][ioctl]") {
  v4l2_control before{V4L2_CID_BRIGHTNESS, 3}, after{V4L2_CID_BRIGHTNESS, 2};
  read::Call c = call(VIDIOC_S_CTRL, place, 0);
  c.memory.push_back(piece(place, &before, sizeof before));
  c.memory.push_back(piece(place, &after, sizeof after, true));
  CHECK_THAT(text(c), Equals("VIDIOC_S_CTRL, {id=V4L2_CID_BRIGHTNESS, value=3 => 2}"));
  read::Call g = call(VIDIOC_G_CTRL, place, 0);
  g.memory = c.memory;
  CHECK_THAT(text(g), Equals("VIDIOC_G_CTRL, {id=V4L2_CID_BRIGHTNESS, value=2}"));
}

TEST_CASE("what follows a struct belongs to it", "[formats][ioctl]") {
  std::vector<uint64_t> room((sizeof(fiemap) + sizeof(fiemap_extent)) / 8);
  auto& map = *reinterpret_cast<fiemap*>(room.data());
  map.fm_length = 9;
  map.fm_mapped_extents = 1;
  map.fm_extents[0].fe_length = 5;
  map.fm_extents[0].fe_flags = FIEMAP_EXTENT_LAST;
  read::Call c = call(FS_IOC_FIEMAP, place, 0);
  c.memory.push_back(piece(place, room.data(), sizeof(fiemap)));
  c.memory.push_back(piece(place, room.data(), room.size() * 8, true));
  TextOptions all;
  all.verbose = true;
  CHECK_THAT(text(c, all), Equals("FS_IOC_FIEMAP, {fm_start=0, fm_length=9, fm_flags=0, "
                                  "fm_extent_count=0} => {fm_flags=0, fm_mapped_extents=1, "
                                  "fm_extents=[{fe_logical=0, fe_physical=0, fe_length=5, "
                                  "fe_flags=FIEMAP_EXTENT_LAST}]}"));
}

TEST_CASE("interfaces are shown as their request asks", "[formats][ioctl]") {
  ifreq r{};
  std::strcpy(r.ifr_name, "eth0");
  r.ifr_flags = IFF_UP;
  read::Call c = call(SIOCSIFFLAGS, place);
  c.memory.push_back(piece(place, &r, sizeof r));
  CHECK_THAT(text(c), Equals("SIOCSIFFLAGS, {ifr_name=\"eth0\", ifr_flags=IFF_UP}"));
  c.args[1] = SIOCSIFMTU;
  CHECK_THAT(text(c), Equals("SIOCSIFMTU, {ifr_name=\"eth0\", ifr_mtu=1}"));
  c.args[1] = SIOCGIFMTU;
  CHECK_THAT(text(c), Equals("SIOCGIFMTU, {ifr_name=\"eth0\"}"));
}

TEST_CASE("a SCSI command is shown whatever came of it", "[formats][ioctl]") {
  sg_io_hdr h{};
  h.interface_id = 'S';
  h.dxfer_direction = SG_DXFER_TO_DEV;
  h.cmd_len = 2;
  h.dxfer_len = 3;
  h.cmdp = reinterpret_cast<unsigned char*>(0x2000);
  h.dxferp = reinterpret_cast<void*>(0x3000);
  read::Call c = call(SG_IO, place);
  c.memory.push_back(piece(place, &h, sizeof h));
  c.memory.push_back(piece(0x2000, "\1\2", 2));
  c.memory.push_back(piece(0x3000, "abc", 3));
  CHECK_THAT(text(c),
             Equals("SG_IO, {interface_id='S', dxfer_direction=SG_DXFER_TO_DEV, cmd_len=2, "
                    "cmdp=\"\\x01\\x02\", mx_sb_len=0, iovec_count=0, dxfer_len=3, timeout=0, "
                    "flags=0, dxferp=\"\\x61\\x62\\x63\", status=0, masked_status=0, msg_status=0, "
                    "sb_len_wr=0, sbp=NULL, host_status=0, driver_status=0, resid=0, duration=0, "
                    "info=0}"));
}

TEST_CASE("a control is named by its class where it has no name", "[formats][ioctl]") {
  v4l2_queryctrl asked{}, got{};
  asked.id = V4L2_CTRL_FLAG_NEXT_CTRL | V4L2_CID_BRIGHTNESS;
  got.id = V4L2_CTRL_CLASS_DETECT + 0x1234;
  got.type = V4L2_CTRL_TYPE_BOOLEAN;
  std::memcpy(got.name, "seen", 5);
  got.minimum = -1;
  got.reserved[1] = 5;
  read::Call c = call(VIDIOC_QUERYCTRL, place, 0);
  c.memory.push_back(piece(place, &asked, sizeof asked));
  c.memory.push_back(piece(place, &got, sizeof got, true));
  CHECK_THAT(text(c), Equals("VIDIOC_QUERYCTRL, {id=V4L2_CTRL_FLAG_NEXT_CTRL|V4L2_CID_BRIGHTNESS "
                             "=> V4L2_CTRL_CLASS_DETECT+0x1234, type=V4L2_CTRL_TYPE_BOOLEAN, "
                             "name=\"seen\", ...}"));
  TextOptions all;
  all.verbose = true;
  CHECK_THAT(text(c, all), Equals("VIDIOC_QUERYCTRL, "
                                  "{id=V4L2_CTRL_FLAG_NEXT_CTRL|V4L2_CID_BRIGHTNESS => "
                                  "V4L2_CTRL_CLASS_DETECT+0x1234, type=V4L2_CTRL_TYPE_BOOLEAN, "
                                  "name=\"seen\", minimum=-1, maximum=0, step=0, "
                                  "default_value=0, flags=0, reserved=[0, 0x5]}"));
}

TEST_CASE("of refused controls it is told which", "[formats][ioctl]") {
  v4l2_ext_control one{};
  one.id = V4L2_CID_CONTRAST;
  v4l2_ext_controls told{}, now{};
  told.count = 1;
  told.error_idx = 1;
  told.controls = reinterpret_cast<v4l2_ext_control*>(0x2000);
  now = told;
  now.error_idx = 0;
  read::Call c = call(VIDIOC_G_EXT_CTRLS, place, -34);
  c.memory.push_back(piece(place, &told, sizeof told));
  c.memory.push_back(piece(0x2000, &one, sizeof one));
  c.memory.push_back(piece(place, &now, sizeof now, true));
  one.value = 7;
  c.memory.push_back(piece(0x2000, &one, sizeof one, true));
  CHECK_THAT(text(c), Equals("VIDIOC_G_EXT_CTRLS, {ctrl_class=0 /* V4L2_CTRL_CLASS_??? */, "
                             "count=1, controls=[{id=V4L2_CID_CONTRAST, size=0, value=7, "
                             "value64=7}], error_idx=0}"));
}

TEST_CASE("what a trusted application answers follows what it was told", "[formats][ioctl]") {
  alignas(8) char bytes[sizeof(tee_ioctl_invoke_arg) + sizeof(tee_ioctl_param)];
  std::memset(bytes, 0, sizeof bytes);
  auto& head = *new (bytes) tee_ioctl_invoke_arg;
  tee_ioctl_param& one = head.params[0];
  head.func = 4;
  head.num_params = 1;
  one.attr = TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_OUTPUT;
  const tee_ioctl_buf_data where{0x2000, sizeof bytes};
  read::Call c = call(TEE_IOC_INVOKE, place, 0);
  c.memory.push_back(piece(place, &where, sizeof where));
  c.memory.push_back(piece(0x2000, bytes, sizeof bytes));
  head.ret_origin = 3;
  one.b = 16;
  c.memory.push_back(piece(place, &where, sizeof where, true));
  c.memory.push_back(piece(0x2000, bytes, sizeof bytes, true));
  const std::string attr = "[{attr=TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_OUTPUT, shm_offs=0, size=";
  CHECK_THAT(text(c), Equals("TEE_IOC_INVOKE, {buf_len=56, buf_ptr={func=4, session=0, "
                             "cancel_id=0, num_params=1, params=" +
                             attr +
                             "0, shm_id=0}]} => "
                             "{ret=0, ret_origin=TEEC_ORIGIN_TEE, params=" +
                             attr + "0x10, shm_id=0}]}}"));
  c.result = -9;
  CHECK_THAT(text(c), Equals("TEE_IOC_INVOKE, {buf_len=56, buf_ptr={func=4, session=0, "
                             "cancel_id=0, num_params=1, params=" +
                             attr + "0, shm_id=0}]}}"));
}

TEST_CASE("moments are remarked where they are ones, by name alone", "[formats][ioctl]") {
  ptp_sys_offset_precise times{};
  times.device.sec = times.sys_monoraw.sec = 1;
  read::Call c = call(PTP_SYS_OFFSET_PRECISE, place, 0);
  c.memory.push_back(piece(place, &times, sizeof times, true));
  CHECK_THAT(text(c), Equals("PTP_SYS_OFFSET_PRECISE, {device={sec=1, nsec=0} /* "
                             "1970-01-01T00:00:01+0000 */, sys_realtime={sec=0, nsec=0}, "
                             "sys_monoraw={sec=1, nsec=0}}"));
  TextOptions raw;
  raw.names = TextOptions::Names::raw;
  CHECK_THAT(text(c, raw), Equals("0xc0403d08, {device={sec=1, nsec=0}, sys_realtime={sec=0, "
                                  "nsec=0}, sys_monoraw={sec=1, nsec=0}}"));
}

TEST_CASE("a line without attributes shows none", "[formats][ioctl]") {
  gpio_v2_line_info line{};
  std::memcpy(line.name, "led", 4);
  read::Call c = call(GPIO_V2_GET_LINEINFO_IOCTL, place, 0);
  c.memory.push_back(piece(place, &line, sizeof line));
  c.memory.push_back(piece(place, &line, sizeof line, true));
  CHECK_THAT(text(c), Equals("GPIO_V2_GET_LINEINFO_IOCTL, {offset=0} => {name=\"led\", "
                             "consumer=\"\", flags=0, num_attrs=0}"));
}

TEST_CASE("any bytes behind any request give a value", "[formats][ioctl][hostile]") {
  std::vector<uint8_t> bytes(8192);
  for (const uint8_t fill : {0x00, 0x01, 0x41, 0x80, 0xff}) {
    std::fill(bytes.begin(), bytes.end(), fill);
    for (const arch::Request& r : arch::all_requests)
      for (const size_t n : {size_t{0}, size_t{3}, size_t{40}, bytes.size()}) {
        read::Call c = call(r.number, place, fill ? 0 : -9);
        if (n) c.memory.push_back(piece(place, bytes.data(), n));
        if (n) c.memory.push_back(piece(place, bytes.data(), n, true));
        CHECK(text(c).size() < 200000);
      }
  }
}

TEST_CASE("what a btrfs answers stands behind the question", "[formats][ioctl]") {
  TextOptions verbose;
  verbose.verbose = true;
  const auto answered = [](unsigned long request, const void* asked, const void* got, size_t n) {
    read::Call c = call(request, place, 0);
    c.memory.push_back(piece(place, asked, n));
    c.memory.push_back(piece(place, got, n, true));
    return c;
  };
  SECTION("faults of a device, by name") {
    btrfs_ioctl_get_dev_stats ask{}, got{};
    ask.devid = 1, ask.nr_items = got.nr_items = 2, got.values[1] = 7;
    CHECK_THAT(text(answered(BTRFS_IOC_GET_DEV_STATS, &ask, &got, sizeof ask)),
               Equals("BTRFS_IOC_GET_DEV_STATS, {devid=makedev(0, 0x1), nr_items=2, flags=0} => "
                      "{nr_items=2, flags=0, [[BTRFS_DEV_STAT_WRITE_ERRS]=0, "
                      "[BTRFS_DEV_STAT_READ_ERRS]=7]}"));
  }
  SECTION("a device") {
    btrfs_ioctl_dev_info_args ask{}, got{};
    ask.devid = 1, got.bytes_used = 5, got.total_bytes = 9;
    std::memcpy(got.path, "/dev/x", 7);
    CHECK_THAT(text(answered(BTRFS_IOC_DEV_INFO, &ask, &got, sizeof ask)),
               Equals("BTRFS_IOC_DEV_INFO, {devid=makedev(0, 0x1)} => "
                      "{bytes_used=5, total_bytes=9, path=\"/dev/x\"}"));
  }
  SECTION("its spaces, by -v") {
    // How many there is room for, how many there are; of one its kind and bytes.
    const uint64_t ask[5] = {1}, got[5] = {1, 1, 5, 80, 16};
    const read::Call c = answered(BTRFS_IOC_SPACE_INFO, ask, got, sizeof ask);
    CHECK_THAT(text(c), Equals("BTRFS_IOC_SPACE_INFO, {space_slots=1} => {total_spaces=1, ...}"));
    CHECK_THAT(text(c, verbose),
               Equals("BTRFS_IOC_SPACE_INFO, {space_slots=1} => {total_spaces=1, spaces=[{flags="
                      "BTRFS_BLOCK_GROUP_DATA|BTRFS_BLOCK_GROUP_METADATA, total_bytes=80, "
                      "used_bytes=16}]}"));
  }
  SECTION("what was found, by -v") {
    btrfs_ioctl_search_args ask{}, got{};
    const btrfs_ioctl_search_header item{3, 256, 4, 1, 8};
    got.key.nr_items = 2;
    std::memcpy(got.buf, &item, sizeof item);
    std::memcpy(got.buf + sizeof item + item.len, &item, sizeof item);
    const read::Call c = answered(BTRFS_IOC_TREE_SEARCH, &ask, &got, sizeof ask);
    const std::string brief = text(c), whole = text(c, verbose);
    CHECK_THAT(brief.substr(brief.find(" => ") + 4), Equals("{key={nr_items=2}, ...}"));
    const std::string one =
        "{transid=3, objectid=BTRFS_FIRST_FREE_OBJECTID, offset=4, type=BTRFS_INODE_ITEM_KEY, "
        "len=8}";
    CHECK_THAT(whole.substr(whole.find(" => ") + 4),
               Equals("{key={nr_items=2}, buf=[" + one + ", " + one + "]}"));
  }
}
