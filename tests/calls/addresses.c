// Socket addresses of rarer families, shown for a descriptor that is none.
#include "say.h"

#include <sys/socket.h>

static void meet(const void* address, unsigned bytes, const char* shown) {
  say(connect(-1, address, bytes), "connect(-1, {sa_family=%s}, %u)", shown, bytes);
}

struct bytes {
  uint16_t family;
  uint16_t low;
  uint32_t word[9];
};

int main(void) {
  const struct bytes vsock = {40, 0, {1024, 2, 1}}, vsock_odd = {40, 7, {~0u, ~0u, 0x1ff02}};
  meet(&vsock, 16,
       "AF_VSOCK, svm_cid=VMADDR_CID_HOST, svm_port=0x400, "
       "svm_flags=VMADDR_FLAG_TO_HOST");
  meet(&vsock_odd, 16,
       "AF_VSOCK, svm_reserved1=0x7, svm_cid=VMADDR_CID_ANY, "
       "svm_port=VMADDR_PORT_ANY, svm_flags=0x2 /* VMADDR_FLAG_??? */, "
       "svm_zero=\"\\xff\\x01\\x00\"");
  meet(&vsock, 4, "AF_VSOCK, sa_data=\"\\0\\0\"");
  const struct bytes qrtr = {42, 0, {~0u, 0xfffffffe}};
  meet(&qrtr, 12, "AF_QIPCRTR, sq_node=QRTR_NODE_BCAST, sq_port=QRTR_PORT_CTRL");
  const struct bytes shared = {44, 1, {0, 3, 9}}, alone = {44, 6, {0, 3, 9}};
  meet(&shared, 16,
       "AF_XDP, sxdp_flags=XDP_SHARED_UMEM, sxdp_ifindex=0, sxdp_queue_id=3, "
       "sxdp_shared_umem_fd=9");
  meet(&alone, 16,
       "AF_XDP, sxdp_flags=XDP_COPY|XDP_ZEROCOPY, sxdp_ifindex=0, sxdp_queue_id=3, "
       "sxdp_shared_umem_fd=0x9");
  const struct bytes mctp = {45, 0, {0, 0x0201ff}};
  meet(&mctp, 12,
       "AF_MCTP, smctp_network=MCTP_NET_ANY, smctp_addr={s_addr=MCTP_ADDR_ANY}, "
       "smctp_type=0x1, smctp_tag=0x2");
  const struct bytes brief = {36, 0, {2, 0xfffe0001}}, wide = {36, 0, {3, 0x0201ffff, 0x06050403}};
  meet(&brief, 20,
       "AF_IEEE802154, addr={addr_type=0x2 /* IEEE802154_ADDR_SHORT */, pan_id=0x1, "
       "short_addr=0xfffe /* IEEE802154_ADDR_UNDEF */}");
  meet(&wide, 20,
       "AF_IEEE802154, addr={addr_type=0x3 /* IEEE802154_ADDR_LONG */, "
       "pan_id=0xffff /* IEEE802154_PANID_BROADCAST */, hwaddr=01:02:03:04:05:06:00:00}");
  const struct bytes nfc = {39, 0, {0, 1, 5}};
  meet(&nfc, 16, "AF_NFC, dev_idx=0, target_idx=0x1, nfc_protocol=NFC_PROTO_NFC_DEP");
  meet(&nfc, 24, "AF_NFC, dev_idx=0, target_idx=0x1, nfc_protocol=NFC_PROTO_NFC_DEP, ...");
  const struct {
    uint16_t family;
    char type[14];
    uint32_t feat, mask;
    char name[8];
  } algorithm = {38, "hash", 0, 0x1000, "sha1"};
  meet(&algorithm, sizeof algorithm,
       "AF_ALG, salg_type=\"hash\", salg_feat=0, "
       "salg_mask=0x1000 /* CRYPTO_ALG_KERN_DRIVER_ONLY */, salg_name=\"sha1\"");
  struct bytes rxrpc = {33, 1, {16 << 16 | 2, 0x35000002, 0x0100007f}};
  meet(&rxrpc, 36,
       "AF_RXRPC, srx_service=0x1 /* CM_SERVICE */, transport_type=SOCK_DGRAM, "
       "transport_len=16, transport={sin={sin_family=AF_INET, sin_port=htons(53), "
       "sin_addr=inet_addr(\"127.0.0.1\")}}");
  rxrpc.word[0] = 4 << 16 | 2;
  meet(&rxrpc, 36,
       "AF_RXRPC, srx_service=0x1 /* CM_SERVICE */, transport_type=SOCK_DGRAM, "
       "transport_len=4, transport={sin={sin_family=AF_INET, \"\\0005\"}}");
  return 0;
}
