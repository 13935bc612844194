// Calls that are younger than the headers: by number, with structs as the kernel has them.
#include "say.h"

#include <sys/stat.h>

enum {
  cachestat = 451,
  statmount = 457,
  listmount,
  lsm_get_self_attr,
  lsm_set_self_attr,
  lsm_list_modules,
  setxattrat = 463,
  getxattrat,
  listxattrat,
  removexattrat,
  open_tree_attr,
  file_getattr,
  file_setattr,
};

struct question {
  uint32_t size, space;
  uint64_t mount, param, of;
};
struct answer {
  uint32_t size, options;
  uint64_t mask;
  uint32_t major, minor;
  uint64_t magic;
  uint32_t flags, type;
  uint64_t id, parent;
  uint32_t old_id, old_parent;
  uint64_t attributes, propagation, peers, master, from;
  uint32_t root, point;
  uint64_t rest[50];
  char text[3584];
};
_Static_assert(sizeof(struct answer) == 4096, "512 bytes, then texts");
struct value {
  uint64_t at;
  uint32_t bytes, flags;
};
struct attributes {
  uint64_t flags;
  uint32_t extent, extents, project, cow;
};

static uint64_t mount_id(void) {
  uint32_t status[64];
  uint64_t id = 0;
  syscall(SYS_statx, AT_FDCWD, "/", 0, 0x4000 /* STATX_MNT_ID_UNIQUE */, status);
  memcpy(&id, (char*)status + 144, sizeof id);
  return id;
}

static void mounts(void) {
  struct question ask = {32, 0, mount_id(), 0x28, 0};
  static struct answer told;
  if (syscall(statmount, &ask, &told, sizeof told, 0) != 0) exit(77);  // a kernel before 6.8
  said(0,
       "statmount({size=32, mnt_ns_fd=0, mnt_id=%#lx, param=STATMOUNT_MNT_ROOT|STATMOUNT_FS_TYPE, "
       "mnt_ns_id=0}, {size=%u, mask=STATMOUNT_MNT_ROOT|STATMOUNT_FS_TYPE, fs_type=\"%s\", "
       "mnt_root=\"%s\"}, 4096, 0)",
       ask.mount, told.size, told.text + told.type, told.text + told.root);
  ask.size = 24, ask.param = 0x40000001;
  say(syscall(statmount, &ask, &told, 8, 1),
      "statmount({size=24, mnt_ns_fd=0, mnt_id=%#lx, param=STATMOUNT_SB_BASIC|0x40000000}, %p, 8, "
      "STATMOUNT_BY_FD)",
      ask.mount, (void*)&told);
  ask.size = 4;
  say(syscall(statmount, &ask, NULL, 0, 0), "statmount({size=4}, NULL, 0, 0)");
  say(syscall(statmount, NULL, &told, 4096, 0), "statmount(NULL, %p, 4096, 0)", (void*)&told);
  uint64_t ids[2] = {0, 0};
  struct question list = {32, 0, ~0ull, 0, 0};
  const long count = syscall(listmount, &list, ids, 1, 1);
  said(count,
       "listmount({size=32, mnt_ns_fd=0, mnt_id=LSMT_ROOT, param=0, mnt_ns_id=0}, [%#lx], 1, "
       "LISTMOUNT_REVERSE)",
       ids[0]);
  say(syscall(listmount, &list, ids, 1, 6),
      "listmount({size=32, mnt_ns_fd=0, mnt_id=LSMT_ROOT, param=0, mnt_ns_id=0}, %p, 1, "
      "0x6 /* LISTMOUNT_??? */)",
      (void*)ids);
}

static void extended(void) {
  char held[64];
  struct value set = {(uintptr_t) "one\0two", 7, 1}, get = {(uintptr_t)held, sizeof held, 0};
  close(open("file", O_CREAT | O_RDWR, 0600));
  if (syscall(setxattrat, AT_FDCWD, "file", 0, "user.a", &set, sizeof set)) exit(77);
  said(0,
       "setxattrat(AT_FDCWD, \"file\", 0, \"user.a\", {value=\"one\\0two\", size=7, "
       "flags=XATTR_CREATE}, 16)");
  say(syscall(setxattrat, AT_FDCWD, "file", 0, "user.a", &set, 15),
      "setxattrat(AT_FDCWD, \"file\", 0, \"user.a\", %p, 15)", (void*)&set);
  say(syscall(getxattrat, AT_FDCWD, "file", 0x100, "user.a", &get, sizeof get),
      "getxattrat(AT_FDCWD, \"file\", AT_SYMLINK_NOFOLLOW, \"user.a\", {value=\"one\\0two\", "
      "size=64, flags=0}, 16)");
  get.bytes = 3;
  say(syscall(getxattrat, AT_FDCWD, "file", 0, "user.a", &get, sizeof get),
      "getxattrat(AT_FDCWD, \"file\", 0, \"user.a\", {value=%p, size=3, flags=0}, 16)",
      (void*)held);
  get.bytes = 0;
  say(syscall(getxattrat, AT_FDCWD, "file", 0, "user.a", &get, sizeof get),
      "getxattrat(AT_FDCWD, \"file\", 0, \"user.a\", {value=%p, size=0, flags=0}, 16)",
      (void*)held);
  const long bytes = syscall(listxattrat, AT_FDCWD, "file", 0, held, sizeof held);
  if (bytes == 7)
    said(bytes, "listxattrat(AT_FDCWD, \"file\", 0, \"user.a\\0\", 64)");
  else
    exit(77);  // a security module adds its own
  say(syscall(removexattrat, -1, "file", 0x1001, "user.a"),
      "removexattrat(-1, \"file\", AT_EMPTY_PATH|0x1, \"user.a\")");
}

static void attributes(void) {
  struct attributes told;
  const long done = syscall(file_getattr, AT_FDCWD, "file", &told, sizeof told, 0);
  if (done)
    said(done, "file_getattr(AT_FDCWD, \"file\", %p, 24, 0)", (void*)&told);
  else if (told.flags)
    exit(77);
  else
    said(0,
         "file_getattr(AT_FDCWD, \"file\", {fa_xflags=0, fa_extsize=%u, fa_nextents=%u, "
         "fa_projid=%#x, fa_cowextsize=%u}, 24, 0)",
         told.extent, told.extents, told.project, told.cow);
  told = (struct attributes){0x10010, 1, 2, 3, 4};
  say(syscall(file_setattr, -1, "file", &told, sizeof told, 0x100),
      "file_setattr(-1, \"file\", {fa_xflags=FS_XFLAG_APPEND|FS_XFLAG_COWEXTSIZE, fa_extsize=1, "
      "fa_projid=0x3, fa_cowextsize=4}, 24, AT_SYMLINK_NOFOLLOW)");
  say(syscall(file_setattr, -1, "file", &told, 23, 0), "file_setattr(-1, \"file\", %p, 23, 0)",
      (void*)&told);
  const uint64_t clone[4] = {1, 0, 0, 0};
  say(syscall(open_tree_attr, -1, "", 0x1001, clone, sizeof clone),
      "open_tree_attr(-1, \"\", OPEN_TREE_CLONE|AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_RDONLY, "
      "attr_clr=0, propagation=0 /* MS_??? */, userns_fd=0}, 32)");
}

static void modules(void) {
  uint64_t ids[16], context[5] = {104, 1, 34, 2, 0x2122};
  uint32_t bytes = 0;
  const long listed = syscall(lsm_list_modules, ids, &bytes, 0);
  if (bytes)
    said(listed, "lsm_list_modules(%p, [0 => %u], 0)", (void*)ids, bytes);
  else
    said(listed, "lsm_list_modules([], [0], 0)");
  bytes = 40;
  say(syscall(lsm_get_self_attr, 104, context, &bytes, 3),
      "lsm_get_self_attr(LSM_ATTR_PREV, {id=LSM_ID_APPARMOR} => %p, [40], LSM_FLAG_SINGLE|0x2)",
      (void*)context);
  say(syscall(lsm_set_self_attr, 99, context, 34, 7),
      "lsm_set_self_attr(0x63 /* LSM_ATTR_??? */, {id=LSM_ID_APPARMOR, flags=0x1, len=34, "
      "ctx_len=2, ctx=\"\\x22\\x21\"}, 34, 0x7)");
}

static void pages(void) {
  const uint64_t range[2] = {4096, 8192};
  uint64_t told[5];
  const int fd = open("file", O_RDWR);
  if (syscall(cachestat, fd, range, told, 0) == 0)
    said(0,
         "cachestat(3, {off=0x1000, len=8192}, {nr_cache=0, nr_dirty=0, nr_writeback=0, "
         "nr_evicted=0, nr_recently_evicted=0}, 0)");
  say(syscall(cachestat, -1, range, told, 1), "cachestat(-1, {off=0x1000, len=8192}, %p, 0x1)",
      (void*)told);
  const uint64_t port[2] = {3, 443};
  say(syscall(445, -1, 2, port, 0),
      "landlock_add_rule(-1, LANDLOCK_RULE_NET_PORT, {allowed_access="
      "LANDLOCK_ACCESS_NET_BIND_TCP|LANDLOCK_ACCESS_NET_CONNECT_TCP, port=443}, 0)");
  say(syscall(454, NULL, ~0u, 1, 0x82),
      "futex_wake(NULL, FUTEX_BITSET_MATCH_ANY, 1, FUTEX2_SIZE_U32|FUTEX2_PRIVATE)");
}

int main(void) {
  mounts();
  extended();
  attributes();
  modules();
  pages();
  return 0;
}
