// JsSIP, a browser's SIP stack, in node: signalling only. What a browser brings beside it (WebSocket, the
// peer connection) stands in here; the peer connection writes SDP and moves no sound.
//
//   node phone.mjs ws://127.0.0.1:5066 6002 PASSWORD
//
// Commands on standard input: call NUMBER plain|browser, answer, hangup, leave.
// One line on standard output for each thing that happens.
import readline from 'node:readline';
import WebSocket from 'ws';

// With the port of the discard service: nobody hears it, and nobody is meant to.
const plain = `v=0\r
o=- 1 1 IN IP4 127.0.0.1\r
s=-\r
c=IN IP4 127.0.0.1\r
t=0 0\r
m=audio 9 RTP/AVP 0 101\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:101 telephone-event/8000\r
a=sendrecv\r
`;
// As Chromium offers it, shortened.
const browser = `v=0\r
o=- 4611731400430051336 2 IN IP4 127.0.0.1\r
s=-\r
t=0 0\r
a=group:BUNDLE 0\r
m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8 126\r
c=IN IP4 0.0.0.0\r
a=rtcp:9 IN IP4 0.0.0.0\r
a=ice-ufrag:abcd\r
a=ice-pwd:0123456789abcdef01234567\r
a=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r
a=setup:actpass\r
a=mid:0\r
a=sendrecv\r
a=rtcp-mux\r
a=rtpmap:111 opus/48000/2\r
a=rtpmap:0 PCMU/8000\r
a=rtpmap:8 PCMA/8000\r
a=rtpmap:126 telephone-event/8000\r
`;

let kind = plain;
class PeerConnection extends EventTarget {
    iceGatheringState = 'complete';
    iceConnectionState = 'connected';
    signalingState = 'stable';
    async createOffer() { return { type: 'offer', sdp: kind }; }
    async createAnswer() { return { type: 'answer', sdp: kind }; }
    async setLocalDescription(description) { this.localDescription = description; }
    async setRemoteDescription(description) { this.remoteDescription = description; }
    getSenders() { return []; }
    addTrack() {}
    close() {}
}
globalThis.window = globalThis;
globalThis.WebSocket = WebSocket;
globalThis.RTCPeerConnection = PeerConnection;
globalThis.RTCSessionDescription = class { constructor(init) { Object.assign(this, init); } };
const { default: JsSIP } = await import('jssip');

const say = (...words) => console.log(words.join(' '));
const [url, user, password] = process.argv.slice(2);
const host = new URL(url).host;
const phone = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)],
    uri: `sip:${user}@${host}`,
    password,
    register: true,
    register_expires: 600,
});
const mediaStream = { getTracks: () => [] };
let session;
phone.on('connected', () => say('connected'));
phone.on('disconnected', () => say('disconnected'));
phone.on('registered', () => say('registered'));
phone.on('unregistered', () => say('unregistered'));
phone.on('registrationFailed', (e) => say('registrationFailed', e.cause));
phone.on('newRTCSession', ({ session: began, originator }) => {
    session = began;
    say('session', originator);
    session.on('progress', () => say('progress'));
    session.on('accepted', () => say('accepted'));
    session.on('confirmed', () => say('confirmed'));
    session.on('failed', (e) => say('failed', e.message?.status_code ?? e.cause));
    session.on('ended', (e) => say('ended', e.originator));
});
readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const [command, number, sdp] = line.trim().split(' ');
    switch (command) {
    case 'call':
        kind = sdp === 'browser' ? browser : plain;
        phone.call(`sip:${number}@${host}`, { mediaStream });
        break;
    case 'answer':
        kind = plain;
        session.answer({ mediaStream });
        break;
    case 'hangup':
        session.terminate();
        break;
    case 'leave':
        phone.unregister();
        break;
    default:
        say('what?', line);
    }
}).on('close', () => process.exit(0));
phone.start();
