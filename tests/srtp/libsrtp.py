"""libsrtp by its C interface, a line in and a line out, for tests/srtp/main.rs.

In:  seal|open rtp|rtcp SUITE KEY-AND-SALT PACKET   (hexadecimal)
Out: the packet, or `refused` with libsrtp's number for why
"""

import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char_p, c_int, c_ubyte, c_uint, c_ulong, c_void_p

LIBRARY = ctypes.CDLL("libsrtp2.so.1")
POLICIES = {
    "AES_CM_128_HMAC_SHA1_80": "srtp_crypto_policy_set_rtp_default",
    "AES_CM_128_HMAC_SHA1_32": "srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32",
    "AES_256_CM_HMAC_SHA1_80": "srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80",
    "AES_256_CM_HMAC_SHA1_32": "srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32",
    "AEAD_AES_128_GCM": "srtp_crypto_policy_set_aes_gcm_128_16_auth",
    "AEAD_AES_256_GCM": "srtp_crypto_policy_set_aes_gcm_256_16_auth",
}
ANY = {"open": 2, "seal": 3}  # ssrc_any_inbound, ssrc_any_outbound


class CryptoPolicy(Structure):
    _fields_ = [
        ("cipher_type", c_uint),
        ("cipher_key_len", c_int),
        ("auth_type", c_uint),
        ("auth_key_len", c_int),
        ("auth_tag_len", c_int),
        ("sec_serv", c_uint),
    ]


class Policy(Structure):
    _fields_ = [
        ("ssrc_type", c_uint),
        ("ssrc_value", c_uint),
        ("rtp", CryptoPolicy),
        ("rtcp", CryptoPolicy),
        ("key", c_char_p),
        ("keys", c_void_p),
        ("num_master_keys", c_ulong),
        ("deprecated_ekt", c_void_p),
        ("window_size", c_ulong),
        ("allow_repeat_tx", c_int),
        ("enc_xtn_hdr", POINTER(c_int)),
        ("enc_xtn_hdr_count", c_int),
        ("next", c_void_p),
    ]


def session(way, suite, key):
    policy = Policy(ssrc_type=ANY[way], key=key, window_size=128)
    getattr(LIBRARY, POLICIES[suite])(byref(policy.rtp))
    # A short tag is for RTP alone (RFC 4568 section 6.2.2).
    getattr(LIBRARY, POLICIES[suite.replace("_32", "_80")])(byref(policy.rtcp))
    made = c_void_p()
    status = LIBRARY.srtp_create(byref(made), byref(policy))
    if status:
        sys.exit(f"srtp_create says {status} to {suite}")
    return made


def main():
    if LIBRARY.srtp_init():
        sys.exit("srtp_init failed")
    calls = {
        ("seal", "rtp"): LIBRARY.srtp_protect,
        ("open", "rtp"): LIBRARY.srtp_unprotect,
        ("seal", "rtcp"): LIBRARY.srtp_protect_rtcp,
        ("open", "rtcp"): LIBRARY.srtp_unprotect_rtcp,
    }
    sessions = {}
    for line in sys.stdin:
        way, kind, suite, key, packet = line.split()
        if (way, suite, key) not in sessions:
            sessions[way, suite, key] = session(way, suite, bytes.fromhex(key))
        packet = bytes.fromhex(packet)
        buffer = (c_ubyte * 2048)(*packet)
        length = c_int(len(packet))
        status = calls[way, kind](sessions[way, suite, key], buffer, byref(length))
        print(f"refused {status}" if status else bytes(buffer[: length.value]).hex(), flush=True)


main()
