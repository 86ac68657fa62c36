// A wall's screen: trades the token behind the # for a cookie and shows the board. What stands behind the #
// is never part of a request's address.
"use strict";

const RETRY_MS = 10000;

function alarm(text) {
  document.getElementById("wait").hidden = true;
  document.getElementById("alarm").hidden = false;
  document.getElementById("alarm").textContent = text;
}

async function open() {
  const token = decodeURIComponent(location.hash.slice(1));
  if (token === "") {
    alarm("アドレスの # の後にトークンがありません。 / No token behind the # of the address.");
    return;
  }
  try {
    const answer = await fetch("/login", { method: "POST", body: new URLSearchParams({ token }), redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.ok) {
      location.replace(`/${location.search}`);
      return;
    }
    alarm("トークンが違います。 / The token is wrong.");
  } catch {
    alarm("窓口に届きません。続けて試しています。 / The desk cannot be reached; trying again.");
    setTimeout(open, RETRY_MS);
  }
}

open();
