"""A full ICE agent that nobody here wrote (aioice), for tests/ice/main.rs.

Arguments: controlling|controlled PORT FRAGMENT PASSWORD. Prints its own fragment and password, then `connected` once
a way stands, and sends a word by it.
"""

import asyncio
import sys

import aioice
import aioice.ice

HERE = "127.0.0.1"
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: [HERE]


async def main():
    role, port, fragment, password = sys.argv[1:]
    agent = aioice.Connection(ice_controlling=role == "controlling", use_ipv6=False)
    await agent.gather_candidates()
    print(agent.local_username, agent.local_password, flush=True)
    sys.stdin.readline()  # the desk has heard it
    line = f"1 1 UDP 2130706431 {HERE} {port} typ host"
    await agent.add_remote_candidate(aioice.Candidate.from_sdp(line))
    await agent.add_remote_candidate(None)
    agent.remote_username, agent.remote_password = fragment, password
    agent.remote_is_lite = True
    await agent.connect()
    print("connected", flush=True)
    await agent.send(b"\x80hello")
    sys.stdin.readline()
    await agent.close()


asyncio.run(asyncio.wait_for(main(), 30))
