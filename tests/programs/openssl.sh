# openssl: digests, encryption there and back, a key, a signature.
# needs: openssl
# sees: openat read write
# varies: key.pem signature public.pem
seq 200000 >plain
for digest in md5 sha1 sha256 sha512 sha3-256; do openssl dgst -$digest plain; done
openssl enc -aes-256-cbc -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
  -iv 000102030405060708090a0b0c0d0e0f -in plain -out sealed
openssl enc -d -aes-256-cbc -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
  -iv 000102030405060708090a0b0c0d0e0f -in sealed | cmp - plain && echo same
openssl dgst -sha256 sealed
openssl genrsa -out key.pem 1024 2>/dev/null
openssl rsa -in key.pem -check -noout 2>&1 | head -n 1
openssl rsa -in key.pem -pubout -out public.pem 2>/dev/null
openssl dgst -sha256 -sign key.pem -out signature plain
openssl dgst -sha256 -verify public.pem -signature signature plain
openssl rand 64 | wc -c
openssl dgst -sha256 no-such-file 2>/dev/null
echo "openssl $?"
