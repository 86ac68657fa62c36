"""A desk, its phones and the world around it, for soak.py and chaos.py: Python's standard library and SIPp.

Everything stands on this machine's own addresses, in one folder that is gone afterwards unless something did not hold.
"""
from desk import NEVER, Desk, at_rest, is_whole
from ground import JAPAN, ROOT, Checks, Folder, Ports, dies_with_us, password, until
from judge import judge
from phones import ANSWERED, KINDS, TICKETED, Callers, agents, registers, sink, voice
from world import Receiver, Walls
