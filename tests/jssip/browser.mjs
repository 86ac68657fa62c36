// JsSIP in a real browser: a page that is a phone. Its microphone is a file that the browser was started with;
// what it hears is sent back as samples, what happens as lines. Settings stand behind the # of its address.
import JsSIP from 'jssip';

const settings = new URLSearchParams(location.hash.slice(1));
const say = (line) => fetch('/said', { method: 'POST', body: line });
addEventListener('error', (event) => say(`error ${event.message}`));
addEventListener('unhandledrejection', (event) => say(`error ${event.reason}`));

const agent = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(settings.get('url'))],
    uri: `sip:${settings.get('user')}@desk.example`,
    password: settings.get('password'),
    session_timers: false,
});
// The microphone as it is: what browsers do for people would change the voice that the test knows.
const constraints = {
    audio: { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
    video: false,
};
const how = { mediaConstraints: constraints, pcConfig: { iceServers: [] } };

async function listen(stream) {
    // A browser moves the sound of a call only when an element plays it.
    const element = document.createElement('audio');
    element.srcObject = stream;
    element.muted = true;
    await element.play();
    const context = new AudioContext({ sampleRate: 8000 });
    await context.resume();
    const processor = context.createScriptProcessor(2048, 1, 1);
    processor.onaudioprocess = ({ inputBuffer }) => {
        const sound = inputBuffer.getChannelData(0);
        const samples = Int16Array.from(sound, (sample) => Math.max(-1, Math.min(1, sample)) * 32767);
        fetch('/heard', { method: 'POST', body: samples.buffer });
    };
    context.createMediaStreamSource(stream).connect(processor);
    processor.connect(context.destination);
}

function follow(session) {
    session.on('peerconnection', ({ peerconnection }) => watch(peerconnection));
    if (session.connection) watch(session.connection);
    session.on('confirmed', () => say('confirmed'));
    session.on('ended', ({ originator }) => say(`ended ${originator}`));
    session.on('failed', ({ cause }) => say(`failed ${cause}`));
}

function watch(connection) {
    connection.addEventListener('track', ({ streams, track }) => listen(streams[0] ?? new MediaStream([track])));
    connection.addEventListener('connectionstatechange', () => say(`connection ${connection.connectionState}`));
    // What the other side reports (RTCP), as the browser has understood it; said once each.
    const said = new Set();
    setInterval(async () => {
        for (const report of (await connection.getStats()).values()) {
            const trip = report.type === 'remote-inbound-rtp' && report.roundTripTime !== undefined;
            const lost = report.type === 'remote-inbound-rtp' && report.packetsLost === 0;
            const sends = report.type === 'remote-outbound-rtp' && report.packetsSent > 0;
            for (const [name, is] of Object.entries({ trip, lost, sends })) {
                if (is && !said.has(name)) say(`stats ${name}`);
                if (is) said.add(name);
            }
        }
    }, 500);
}

agent.on('registered', () => {
    say('registered');
    const number = settings.get('call');
    if (number) follow(agent.call(`sip:${number}@desk.example`, how));
});
agent.on('registrationFailed', ({ cause }) => say(`registration failed ${cause}`));
agent.on('newRTCSession', ({ session, originator }) => {
    if (originator !== 'remote') return;
    say('rung');
    follow(session);
    session.answer(how);
});
addEventListener('hashchange', () => agent.terminateSessions());
agent.start();
