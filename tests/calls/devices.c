// Requests to devices that few machines have: what the kernel is told is shown though there is
// none.
#include "say.h"

#include <linux/gpio.h>
#include <linux/lirc.h>
#include <linux/perf_event.h>
#include <linux/ptp_clock.h>
#include <linux/tee.h>
#include <linux/videodev2.h>
#include <net/if.h>
#include <scsi/sg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

// `n` bytes, and nothing behind them.
static void* at_the_end(const void* from, size_t n) {
  char* pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED || munmap(pages + 4096, 4096)) exit(1);
  return memcpy(pages + 4096 - n, from, n);
}

static void lines(void) {
  struct gpio_v2_line_request lines = {.num_lines = 2, .offsets = {3, 5}, .consumer = "us"};
  say(ioctl(-1, GPIO_V2_GET_LINE_IOCTL, &lines),
      "ioctl(-1, GPIO_V2_GET_LINE_IOCTL, {num_lines=2, offsets=[3, 5], consumer=\"us\", "
      "config={flags=0, num_attrs=0}})");
  struct gpio_v2_line_config config = {.flags = GPIO_V2_LINE_FLAG_OUTPUT, .num_attrs = 2};
  config.attrs[0].attr.id = GPIO_V2_LINE_ATTR_ID_DEBOUNCE;
  config.attrs[0].attr.debounce_period_us = 20;
  config.attrs[0].mask = 1;
  config.attrs[1].attr.id = GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES;
  config.attrs[1].attr.padding = 7;  // not as it should be: shown as it lies there
  config.attrs[1].attr.values = 9;
  say(ioctl(-1, GPIO_V2_LINE_SET_CONFIG_IOCTL, &config),
      "ioctl(-1, GPIO_V2_LINE_SET_CONFIG_IOCTL, {flags=GPIO_V2_LINE_FLAG_OUTPUT, num_attrs=2, "
      "attrs=[{debounce_period_us=20, mask=0x1}, {attr={id=2, padding=0x7, data=0x9}, "
      "mask=0}]})");
  struct gpio_v2_line_values values = {.bits = 1, .mask = 3};
  say(ioctl(-1, GPIO_V2_LINE_SET_VALUES_IOCTL, &values),
      "ioctl(-1, GPIO_V2_LINE_SET_VALUES_IOCTL, {bits=0x1, mask=0x3})");
}

static void clocks(void) {
  struct ptp_perout_request out = {.start = {1, 2, 0}, .period = {3, 0, 0}, .index = 4};
  say(ioctl(-1, PTP_PEROUT_REQUEST, &out),
      "ioctl(-1, PTP_PEROUT_REQUEST, {start={sec=1, nsec=2} /* "
      "1970-01-01T00:00:01.000000002+0000 */, period={sec=3, nsec=0}, index=4, flags=0})");
  struct ptp_sys_offset samples = {.n_samples = 5};
  say(ioctl(-1, PTP_SYS_OFFSET, &samples), "ioctl(-1, PTP_SYS_OFFSET, {n_samples=5})");
}

static void videos(void) {
  struct v4l2_control one = {V4L2_CID_BRIGHTNESS, 6};
  say(ioctl(-1, VIDIOC_S_CTRL, &one),
      "ioctl(-1, VIDIOC_S_CTRL, {id=V4L2_CID_BRIGHTNESS, value=6})");
  one.id = V4L2_CTRL_CLASS_USER + 0x1234;  // named by its class
  say(ioctl(-1, VIDIOC_G_CTRL, &one), "ioctl(-1, VIDIOC_G_CTRL, {id=V4L2_CTRL_CLASS_USER+0x1234})");
  one.id = 1;  // no class has it
  say(ioctl(-1, VIDIOC_G_CTRL, &one), "ioctl(-1, VIDIOC_G_CTRL, {id=0x1 /* V4L2_CID_??? */})");
  struct v4l2_ext_control all[] = {{.id = V4L2_CID_CONTRAST, .value = 2},
                                   {.id = V4L2_CID_HUE, .size = 3, .string = (char[]){"abc"}}};
  struct v4l2_ext_controls told = {
      .ctrl_class = V4L2_CTRL_CLASS_USER, .count = 2, .error_idx = 8, .controls = all};
#define TWO                                               \
  "[{id=V4L2_CID_CONTRAST, size=0, value=2, value64=2}, " \
  "{id=V4L2_CID_HUE, size=3, string=\"abc\"}]"
  say(ioctl(-1, VIDIOC_S_EXT_CTRLS, &told),
      "ioctl(-1, VIDIOC_S_EXT_CTRLS, {ctrl_class=V4L2_CTRL_CLASS_USER, count=2, controls=" TWO
      "} => {controls=" TWO ", error_idx=8})");
  struct v4l2_clip clip = {.c = {1, 2, 3, 4}};
  struct v4l2_format window = {.type = V4L2_BUF_TYPE_VIDEO_OVERLAY,
                               .fmt.win = {.clips = &clip, .clipcount = 1}};
  say(ioctl(-1, VIDIOC_S_FMT, &window),
      "ioctl(-1, VIDIOC_S_FMT, {type=V4L2_BUF_TYPE_VIDEO_OVERLAY, fmt.win={w={left=0, top=0, "
      "width=0, height=0}, field=V4L2_FIELD_ANY, chromakey=0, clips=[{c={left=1, top=2, width=3, "
      "height=4}}], clipcount=1, bitmap=NULL}})");
  struct v4l2_create_buffers made = {.count = 2, .memory = V4L2_MEMORY_MMAP, .format = window};
  say(ioctl(-1, VIDIOC_CREATE_BUFS, &made),
      "ioctl(-1, VIDIOC_CREATE_BUFS, {count=2, memory=V4L2_MEMORY_MMAP, "
      "format={type=V4L2_BUF_TYPE_VIDEO_OVERLAY, fmt.win={w={left=0, top=0, width=0, height=0}, "
      "field=V4L2_FIELD_ANY, chromakey=0, clips=[{c={left=1, top=2, width=3, height=4}}], "
      "clipcount=1, bitmap=NULL}}})");
}

static void trusted(void) {
  uint64_t bytes[(sizeof(struct tee_ioctl_open_session_arg) + 64) / 8] = {0};
  struct tee_ioctl_open_session_arg* open = (void*)bytes;
  open->uuid[0] = 0xde, open->uuid[1] = 0xad;
  open->cancel_id = 3;
  open->num_params = 2;
  open->params[0] = (struct tee_ioctl_param){TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT, 1, 2, 3};
  open->params[1] = (struct tee_ioctl_param){
      TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INPUT | TEE_IOCTL_PARAM_ATTR_META, 4, 5, 6};
  open->clnt_login = TEE_IOCTL_LOGIN_GROUP;
  open->clnt_uuid[0] = 9;
  struct tee_ioctl_buf_data where = {(uintptr_t)bytes, sizeof bytes};
#define PARAMETERS                                                                            \
  "num_params=2, params=[{attr=TEE_IOCTL_PARAM_ATTR_TYPE_VALUE_INPUT, a=0x1, b=0x2, c=0x3}, " \
  "{attr=TEE_IOCTL_PARAM_ATTR_TYPE_MEMREF_INPUT|TEE_IOCTL_PARAM_ATTR_META, a=0x4, b=0x5, "    \
  "c=0x6}]"
  say(ioctl(-1, TEE_IOC_OPEN_SESSION, &where),
      "ioctl(-1, TEE_IOC_OPEN_SESSION, {buf_len=120, "
      "buf_ptr={uuid=dead0000-0000-0000-0000-000000000000, clnt_login=TEE_IOCTL_LOGIN_GROUP, "
      "clnt_uuid=9, cancel_id=3, " PARAMETERS "}})");
  struct tee_iocl_supp_send_arg send = {.ret = 7};
  where = (struct tee_ioctl_buf_data){(uintptr_t)&send, sizeof send};
  say(ioctl(-1, TEE_IOC_SUPPL_SEND, &where),
      "ioctl(-1, TEE_IOC_SUPPL_SEND, {buf_len=8, buf_ptr={num_params=0, params=NULL}})");
  where.buf_len = 9;  // no struct and its parameters are so long: the kernel does not look at it
  say(ioctl(-1, TEE_IOC_SUPPL_SEND, &where),
      "ioctl(-1, TEE_IOC_SUPPL_SEND, {buf_len=9, buf_ptr=%p})", (void*)&send);
  where = (struct tee_ioctl_buf_data){0x1000, 1ull << 60};
  say(ioctl(-1, TEE_IOC_INVOKE, &where),
      "ioctl(-1, TEE_IOC_INVOKE, {buf_len=1152921504606846976, buf_ptr=0x1000})");
  struct {
    int64_t fd;
    uint64_t size;
    uint32_t flags;
    int32_t id;
  } __attribute__((aligned(16))) shared = {.fd = 5, .flags = 2};
  say(ioctl(-1, _IOWR(0xa4, 8, shared), &shared),
      "ioctl(-1, _IOC(_IOC_READ|_IOC_WRITE, 0xa4, 0x8, 0x20), {fd=5, "
      "flags=TEE_IOCTL_SHM_DMA_BUF})");
}

// Of what ends before a struct does, what there is.
static void half(void) {
  const uint32_t room = 6, third = 'S';
  say(ioctl(-1, PERF_EVENT_IOC_QUERY_BPF, at_the_end(&room, 4)),
      "ioctl(-1, PERF_EVENT_IOC_QUERY_BPF, {ids_len=6, ...})");
  char* end = at_the_end(&third, 4);
  say(ioctl(-1, SG_IO, end), "ioctl(-1, SG_IO, {interface_id='S', %p})", (void*)(end + 4));
  say(ioctl(-1, PERF_EVENT_IOC_SET_FILTER, at_the_end("cpu == 1", 9)),
      "ioctl(-1, PERF_EVENT_IOC_SET_FILTER, \"cpu == 1\")");
}

static void others(void) {
  struct perf_event_attr counter = {.type = PERF_TYPE_SOFTWARE, .size = PERF_ATTR_SIZE_VER0};
  say(ioctl(-1, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &counter),
      "ioctl(-1, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, {type=PERF_TYPE_SOFTWARE, "
      "size=PERF_ATTR_SIZE_VER0, config=PERF_COUNT_SW_CPU_CLOCK, sample_period=0, sample_type=0, "
      "read_format=0, precise_ip=0 /* arbitrary skid */, ...})");
  const int reset = 0x101;
  say(ioctl(-1, SG_SCSI_RESET, &reset),
      "ioctl(-1, SG_SCSI_RESET, [SG_SCSI_RESET_NO_ESCALATE|SG_SCSI_RESET_DEVICE])");
  struct ifreq member = {.ifr_ifindex = 1};
  say(ioctl(-1, 0x89a2, &member), "ioctl(-1, SIOCBRADDIF, {ifr_ifindex=if_nametoindex(\"lo\")})");
}

int main(void) {
  lines();
  clocks();
  videos();
  trusted();
  half();
  others();
  return 0;
}
