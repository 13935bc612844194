// Calls that tell of files and of what is in them.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

#include "canary.h"

enum {
  stat_bytes = 144,
  nr_file_getattr = 468,
  nr_getxattrat = 464,
  nr_listxattrat = 465,
  nr_statmount = 457,
  nr_listmount = 458,
  nr_cachestat = 451
};

// A file of ours with some bytes in it, open.
static int file(void) {
  static int fd = -1;
  if (fd >= 0) return fd;
  fd = open("canary.file", O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (write(fd, "what is in the file, of some length", 35) != 35) abort();
  return fd;
}

static void case_stat(void) {
  may(place(1), stat_bytes);
  call(SYS_stat, "/", place(1));
}
static void case_lstat(void) {
  may(place(1), stat_bytes);
  call(SYS_lstat, "/proc/self", place(1));
}
static void case_fstat(void) {
  may(place(1), stat_bytes);
  call(SYS_fstat, file(), place(1));
}
static void case_stat_fails(void) { call(SYS_stat, "/nothing/there", place(1)); }
static void case_newfstatat(void) {
  may(place(1), stat_bytes);
  call(SYS_newfstatat, AT_FDCWD, "/etc", place(1), 0);
}
static void case_statx(void) {
  may(place(2), sizeof(struct statx));
  call(SYS_statx, AT_FDCWD, "/etc", 0, STATX_BASIC_STATS | STATX_BTIME, place(2));
}
static void case_statfs(void) {
  may(place(2), sizeof(struct statfs));
  call(SYS_statfs, "/proc", place(2));
}
static void case_fstatfs(void) {
  may(place(2), sizeof(struct statfs));
  call(SYS_fstatfs, file(), place(2));
}
static void case_ustat(void) {
  may(place(2), 32);
  call(SYS_ustat, (long)makedev(0, 1), place(2));
}
static void case_read(void) {
  lseek(file(), 5, SEEK_SET);
  may(place(3), 64);
  call(SYS_read, file(), place(3), 64);
}
static void case_read_nothing(void) {
  lseek(file(), 0, SEEK_END);
  call(SYS_read, file(), place(3), 64);
}
static void case_pread64(void) {
  may((char*)place(3) + 11, 7);
  call(SYS_pread64, file(), (char*)place(3) + 11, 7, 2L);
}
static struct iovec* three_buffers(void) {
  struct iovec* v = place(8);
  v[0] = (struct iovec){(char*)place(1) + 3, 5};
  v[1] = (struct iovec){place(2), 0};
  v[2] = (struct iovec){place(3), 100};
  may(v[0].iov_base, 5);
  may(v[2].iov_base, 100);
  return v;
}
static void case_readv(void) {
  lseek(file(), 0, SEEK_SET);
  call(SYS_readv, file(), three_buffers(), 3L);
}
static void case_preadv(void) { call(SYS_preadv, file(), three_buffers(), 3L, 20L, 0L); }
static void case_preadv2(void) { call(SYS_preadv2, file(), three_buffers(), 3L, 20L, 0L, 0L); }
static void case_getcwd(void) {
  may(place(1), 1000);
  call(SYS_getcwd, place(1), 1000L);
}
static void case_getcwd_short(void) { call(SYS_getcwd, place(1), 1L); }
static void case_readlink(void) {
  may(place(1), 3);
  call(SYS_readlink, "/proc/self/exe", place(1), 3L);
}
static void case_readlinkat(void) {
  may(place(1), 500);
  call(SYS_readlinkat, AT_FDCWD, "/proc/self/exe", place(1), 500L);
}
static void entries(long number) {
  const int fd = open("/proc/self/fdinfo/..", O_RDONLY | O_DIRECTORY);
  may(place(1), 2 * place_bytes);
  call(number, fd, place(1), (long)(2 * place_bytes));
  close(fd);
}
static void case_getdents(void) { entries(SYS_getdents); }
static void case_getdents64(void) { entries(SYS_getdents64); }
static void case_getxattr(void) {
  const char* name = "user.canary";
  if (fsetxattr(file(), name, "value", 5, 0)) return leave_out("no user.* attributes here");
  may(place(1), 64);
  call(SYS_getxattr, "canary.file", name, place(1), 64L);
}
static void case_getxattr_length(void) {
  call(SYS_getxattr, "canary.file", "user.canary", place(1), 0L);
}
static void case_listxattr_length(void) { call(SYS_listxattr, "canary.file", place(1), 0L); }
static void case_fgetxattr(void) {
  if (fsetxattr(file(), "user.canary", "value", 5, 0)) return leave_out("no attributes here");
  may(place(1), 64);
  call(SYS_fgetxattr, file(), "user.canary", place(1), 64L);
}
static void case_listxattr(void) {
  if (fsetxattr(file(), "user.canary", "value", 5, 0)) return leave_out("no attributes here");
  may(place(1), 64);
  call(SYS_listxattr, "canary.file", place(1), 64L);
}
static void case_flistxattr(void) {
  may(place(1), 64);
  call(SYS_flistxattr, file(), place(1), 64L);
}
static void case_getxattrat(void) {
  struct {
    uint64_t value;
    uint32_t size, flags;
  }* args = place(9);
  args->value = (uint64_t)place(1), args->size = 64, args->flags = 0;
  may(place(1), 64);
  may(args, sizeof *args);  // says where the value lies, so it is kept beside it
  call(nr_getxattrat, AT_FDCWD, "canary.file", 0L, "user.canary", args, 16L);
}
static void case_listxattrat(void) {
  may(place(1), 64);
  call(nr_listxattrat, AT_FDCWD, "canary.file", 0L, place(1), 64L);
}
static void case_file_getattr(void) {
  may(place(1), 24);
  call(nr_file_getattr, AT_FDCWD, "canary.file", place(1), 24L, 0L);
}
static void case_pipe(void) {
  may(place(1), 8);
  if (call(SYS_pipe, place(1)) == 0) close(((int*)place(1))[0]), close(((int*)place(1))[1]);
}
static void case_pipe2(void) {
  may(place(1), 8);
  if (call(SYS_pipe2, place(1), (long)O_CLOEXEC) == 0)
    close(((int*)place(1))[0]), close(((int*)place(1))[1]);
}
static int to_pipe(int fds[2]) { return pipe(fds) ? -1 : fds[1]; }
static void case_splice(void) {
  int fds[2];
  to_pipe(fds);
  *(int64_t*)place(1) = 3;
  may(place(1), 8);
  call(SYS_splice, file(), place(1), fds[1], 0L, 10L, 0L);
  close(fds[0]), close(fds[1]);
}
static void case_sendfile(void) {
  int fds[2];
  to_pipe(fds);
  *(int64_t*)place(1) = 3;
  may(place(1), 8);
  call(SYS_sendfile, fds[1], file(), place(1), 10L);
  close(fds[0]), close(fds[1]);
}
static void case_copy_file_range(void) {
  *(int64_t*)place(1) = 0;
  *(int64_t*)place(2) = 100;
  may(place(1), 8);
  may(place(2), 8);
  call(SYS_copy_file_range, file(), place(1), file(), place(2), 10L, 0L);
}
static void case_name_to_handle_at(void) {
  struct file_handle* handle = place(1);
  handle->handle_bytes = 64;
  may(handle, 8 + 64);
  may(place(2), 4);
  call(SYS_name_to_handle_at, AT_FDCWD, "canary.file", handle, place(2), 0L);
}
static void case_fcntl_getlk(void) {
  struct flock* lock = place(1);
  *lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
  may(lock, sizeof *lock);
  call(SYS_fcntl, file(), (long)F_GETLK, lock);
}
static void case_fcntl_getown_ex(void) {
  may(place(1), 8);
  call(SYS_fcntl, file(), (long)F_GETOWN_EX, place(1));
}
static void case_ioctl_fionread(void) {
  may(place(1), 4);
  call(SYS_ioctl, file(), 0x541bL, place(1));
}
static void case_ioctl_getflags(void) {
  may(place(1), 8);
  call(SYS_ioctl, file(), (long)FS_IOC_GETFLAGS, place(1));
}
static void case_ioctl_tcgets(void) {
  const int fd = posix_openpt(O_RDWR | O_NOCTTY);
  may(place(1), 36);  // struct termios of the kernel
  call(SYS_ioctl, fd, (long)0x5401, place(1));
  close(fd);
}
static void case_ioctl_winsize(void) {
  const int fd = posix_openpt(O_RDWR | O_NOCTTY);
  may(place(1), 8);
  call(SYS_ioctl, fd, (long)0x5413, place(1));
  close(fd);
}
static void case_mincore(void) {
  may(place(1), 16);
  call(SYS_mincore, place(0), (long)room_bytes, place(1));
}
static void case_cachestat(void) {
  uint64_t* range = place(8);
  range[0] = range[1] = 0;
  may(place(1), 40);
  call(nr_cachestat, file(), range, place(1), 0L);
}
static void case_statmount(void) {
  const struct {
    uint32_t size, spare;
    uint64_t id, param;
  } ask = {24, 0, 1, 0x3f};
  uint64_t root[32];
  syscall(SYS_statx, AT_FDCWD, "/", 0, 0x4000, root);  // STATX_MNT_ID_UNIQUE
  memcpy(place(8), &ask, sizeof ask);
  ((uint64_t*)place(8))[1] = root[0x90 / 8];  // stx_mnt_id
  may(place(1), 2048);
  call(nr_statmount, place(8), place(1), 2048L, 0L);
}
static void case_listmount(void) {
  const struct {
    uint32_t size, spare;
    uint64_t id, param;
  } ask = {24, 0, ~0ull, 0};  // LSMT_ROOT
  memcpy(place(8), &ask, sizeof ask);
  may(place(1), 8 * 20);
  call(nr_listmount, place(8), place(1), 20L, 0L);
}

#define CASE(name) \
  { #name, case_##name }
const struct Named file_cases[] = {
    CASE(stat),
    CASE(lstat),
    CASE(fstat),
    CASE(stat_fails),
    CASE(newfstatat),
    CASE(statx),
    CASE(statfs),
    CASE(fstatfs),
    CASE(ustat),
    CASE(read),
    CASE(read_nothing),
    CASE(pread64),
    CASE(readv),
    CASE(preadv),
    CASE(preadv2),
    CASE(getcwd),
    CASE(getcwd_short),
    CASE(readlink),
    CASE(readlinkat),
    CASE(getdents),
    CASE(getdents64),
    CASE(getxattr),
    CASE(getxattr_length),
    CASE(listxattr_length),
    CASE(fgetxattr),
    CASE(listxattr),
    CASE(flistxattr),
    CASE(getxattrat),
    CASE(listxattrat),
    CASE(file_getattr),
    CASE(pipe),
    CASE(pipe2),
    CASE(splice),
    CASE(sendfile),
    CASE(copy_file_range),
    CASE(name_to_handle_at),
    CASE(fcntl_getlk),
    CASE(fcntl_getown_ex),
    CASE(ioctl_fionread),
    CASE(ioctl_getflags),
    CASE(ioctl_tcgets),
    CASE(ioctl_winsize),
    CASE(mincore),
    CASE(cachestat),
    CASE(statmount),
    CASE(listmount),
    {0, 0},
};
