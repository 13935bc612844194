#include "say.h"

#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/ptp_clock.h>
#include <linux/rtc.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <sys/ioctl.h>

// What the kernel is told is shown though the descriptor is none.
static void told(void) {
  struct winsize size = {24, 80, 1, 2};
  say(ioctl(-1, TIOCSWINSZ, &size),
      "ioctl(-1, TIOCSWINSZ, {ws_row=24, ws_col=80, ws_xpixel=1, ws_ypixel=2})");
  say(ioctl(-1, TIOCGWINSZ, &size), "ioctl(-1, TIOCGWINSZ, %p)", (void*)&size);
  int on = 1;
  say(ioctl(-1, FIONBIO, &on), "ioctl(-1, FIONBIO, [1])");
  struct ifreq interface = {.ifr_name = "lo", .ifr_mtu = 1500};
  say(ioctl(-1, SIOCSIFMTU, &interface), "ioctl(-1, SIOCSIFMTU, {ifr_name=\"lo\", ifr_mtu=1500})");
  say(ioctl(-1, SIOCGIFMTU, &interface), "ioctl(-1, SIOCGIFMTU, {ifr_name=\"lo\"})");
  struct fstrim_range range = {1, 2, 3};
  say(ioctl(-1, FITRIM, &range), "ioctl(-1, FITRIM, {start=0x1, len=2, minlen=3})");
  struct loop_info64 loop = {.lo_offset = 16, .lo_flags = LO_FLAGS_READ_ONLY};
  say(ioctl(-1, LOOP_SET_STATUS64, &loop),
      "ioctl(-1, LOOP_SET_STATUS64, {lo_offset=0x10, lo_number=0, lo_flags=LO_FLAGS_READ_ONLY, "
      "lo_file_name=\"\", ...})");
  struct rtc_time time = {.tm_sec = 1, .tm_year = 100};
  say(ioctl(-1, RTC_SET_TIME, &time),
      "ioctl(-1, RTC_SET_TIME, {tm_sec=1, tm_min=0, tm_hour=0, tm_mday=0, tm_mon=0, tm_year=100, "
      "...})");
  struct ptp_extts_request stamps = {.index = 2, .flags = PTP_ENABLE_FEATURE};
  say(ioctl(-1, PTP_EXTTS_REQUEST, &stamps),
      "ioctl(-1, PTP_EXTTS_REQUEST, {index=2, flags=PTP_ENABLE_FEATURE})");
  struct seccomp_notif_resp answer = {.id = 5, .error = -1};
  say(ioctl(-1, SECCOMP_IOCTL_NOTIF_SEND, &answer),
      "ioctl(-1, SECCOMP_IOCTL_NOTIF_SEND, {id=0x5, val=0, error=-EPERM, flags=0})");
  struct uffdio_range pages = {0x1000, 0x2000};
  say(ioctl(-1, UFFDIO_WAKE, &pages), "ioctl(-1, UFFDIO_WAKE, {start=0x1000, len=0x2000})");
}

// What follows the struct is taken with it.
static void followed(void) {
  struct {
    struct file_dedupe_range head;
    struct file_dedupe_range_info one;
  } same = {{.src_length = 4096, .dest_count = 1}, {.dest_fd = 7}};
  say(ioctl(-1, FIDEDUPERANGE, &same),
      "ioctl(-1, BTRFS_IOC_FILE_EXTENT_SAME or FIDEDUPERANGE, {src_offset=0, src_length=4096, "
      "dest_count=1, info=[{dest_fd=7, dest_offset=0}]})");
}

static void given(void) {
  int pipes[2], ready = -1;
  if (pipe(pipes) || write(pipes[1], "abc", 3) != 3) exit(1);
  say(ioctl(pipes[0], FIONREAD, &ready), "ioctl(%d, FIONREAD, [%d])", pipes[0], ready);
  if (ready != 3) exit(1);
}

static void unknown(void) {
  char bytes[16] = "";
  say(ioctl(-1, _IOC(3, 'T', 1, 16), bytes),
      "ioctl(-1, _IOC(_IOC_READ|_IOC_WRITE, 0x54, 0x1, 0x10), %p)", (void*)bytes);
  say(ioctl(-1, 0x5204, bytes), "ioctl(-1, FASTRPC_IOCTL_INIT_ATTACH or RNDZAPENTCNT)");
  say(ioctl(-1, FIOCLEX), "ioctl(-1, FIOCLEX)");
  say(ioctl(-1, FIBMAP, 0), "ioctl(-1, FIBMAP, 0)");
}

int main(void) {
  told();
  followed();
  given();
  unknown();
  return 0;
}
