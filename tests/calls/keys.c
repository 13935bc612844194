// Operations on keys that there are not: what they are given is shown whatever comes of it.
#include "say.h"

#include <linux/keyctl.h>

struct derivation {
  const char *name, *other;
  uint32_t length, spare[8];
};
struct use {
  int32_t key;
  uint32_t in, out, spare[7];
};

static long key(long command, const void* a, const void* b, const void* c, const void* d) {
  return syscall(SYS_keyctl, command, a, b, c, d);
}

static void derived(void) {
  static const int32_t keys[] = {KEY_SPEC_PROCESS_KEYRING, 7, -77};
  struct derivation how = {"hmac", "\1\2", 0, {0}};
  say(key(KEYCTL_DH_COMPUTE, keys, NULL, NULL, &how),
      "keyctl(KEYCTL_DH_COMPUTE, {private=KEY_SPEC_PROCESS_KEYRING, prime=7, base=-77}, NULL, 0, "
      "{hashname=\"hmac\", otherinfo=%p, otherinfolen=0})",
      (const void*)how.other);
  how.length = 2, how.spare[7] = 0xfeed;
  say(key(KEYCTL_DH_COMPUTE, keys, NULL, NULL, &how),
      "keyctl(KEYCTL_DH_COMPUTE, {private=KEY_SPEC_PROCESS_KEYRING, prime=7, base=-77}, NULL, 0, "
      "{hashname=\"hmac\", otherinfo=\"\\1\\2\", otherinfolen=2, "
      "__spare=[0, 0, 0, 0, 0, 0, 0, 0xfeed]})");
}

static void used(void) {
  struct use use = {-77, 3, 4, {0}};
  char room[4] = {0};
  say(key(KEYCTL_PKEY_ENCRYPT, &use, "enc=raw", "abcdef", room),
      "keyctl(KEYCTL_PKEY_ENCRYPT, {key_id=-77, in_len=3, out_len=4}, \"enc=raw\", \"abc\", %p)",
      (void*)room);
  use.spare[0] = 1;
  say(key(KEYCTL_PKEY_VERIFY, &use, "", "abcdef", "ghijkl"),
      "keyctl(KEYCTL_PKEY_VERIFY, {key_id=-77, in_len=3, in2_len=4, "
      "__spare=[0x1, 0, 0, 0, 0, 0, 0]}, \"\", \"abc\", \"ghij\")");
  void* nowhere = (void*)8;
  say(key(KEYCTL_PKEY_SIGN, nowhere, "", "abcdef", room),
      "keyctl(KEYCTL_PKEY_SIGN, 0x8, \"\", %p, %p)", (const void*)"abcdef", (void*)room);
  say(key(KEYCTL_PKEY_QUERY, (void*)-77L, NULL, "enc=raw", room),
      "keyctl(KEYCTL_PKEY_QUERY, -77, 0, \"enc=raw\", %p)", (void*)room);
}

int main(void) {
  if (key(KEYCTL_PKEY_QUERY, (void*)-77L, NULL, "", NULL) != -1 || errno == ENOSYS) return 77;
  printf("%-39s = -1 %s (%s)\n", "keyctl(KEYCTL_PKEY_QUERY, -77, 0, \"\", NULL)",
         strerrorname_np(errno), strerror(errno));
  derived();
  used();
  unsigned char bits[8] = {0};
  const long n = key(KEYCTL_CAPABILITIES, bits, (void*)0L, NULL, NULL);
  if (n > 0) printf("keyctl(KEYCTL_CAPABILITIES, [], 0)      = %ld\n", n);
  return n > 0 ? 0 : 77;
}
