// Header parameters but for alg and jwk.
import { onEither, onProof, onToken, texts } from "./table.mjs";

const eitherHas = (name, list) =>
  list.map((text) => onEither(`header/${name} ${text}`, (jwt) => jwt.header.write(name, text)));

export default [
  ...texts(onProof, "header", "typ", [
    '"DPOP+JWT"', '"dpop+JWT"', '"application/dpop+jwt"', '"APPLICATION/dpop+jwt"', '"application/DPOP+jwt"', '"application/application/dpop+jwt"', '"text/dpop+jwt"', '"JWT"', '"jwt"',
    '"at+jwt"', '"dpop"', '""', "null", "1", '["dpop+jwt"]', "{}", '"dpop+jwt "', '" dpop+jwt"', '"dpop+jwt; v=1"', '"dpop+jwt\\u0000"', '"dpop jwt"', '"dpop\\u002bjwt"', '"dp\\u006fp+jwt"', '"dpop+\u0134wt"', '"/dpop+jwt"',
  ]),
  onProof("typ/missing", (jwt) => jwt.header.remove("typ")),
  ...texts(onToken, "header", "typ", [
    '"AT+JWT"', '"at+JWT"', '"application/at+jwt"', '"APPLICATION/AT+JWT"', '"application/application/at+jwt"', '"JWT"', '"dpop+jwt"', '"logout+jwt"', '""', "null", "1", '["at+jwt"]', '"at+jwt "', '"at+jwt;v=1"', '"at\\u002bjwt"',
  ]),
  onToken("typ/missing", (jwt) => jwt.header.remove("typ")),
  ...eitherHas("crit", ["[]", '["b64"]', '["exp"]', '["alg"]', "null", '"b64"', "false", "{}", '[""]', "[1]"]),
  onEither("header/crit-known", (jwt) => jwt.header.write("crit", '["b64"]').write("b64", "true")),
  ...eitherHas("b64", ["true", "false", '"false"', "null", "0", "[]"]),
  ...eitherHas("zip", ['"DEF"']),
  ...eitherHas("cty", ['"JWT"', "5"]),
  ...eitherHas("jku", ['"https://attacker.example/jwks"']),
  ...eitherHas("x5c", ['["AA"]', '"x"']),
  ...eitherHas("enc", ['"A256GCM"']),
  ...texts(onProof, "header", "kid", ['"issuer"', "5", '""']),
  ...texts(onToken, "header", "kid", ["null", "5", '""', '"other"', '"issuer-enc"', '"issuer-rsa"', '"ISSUER"', '["issuer"]', '"issuer\\u0000"', '"../issuer"']),
  onToken("kid/missing", (jwt) => jwt.header.remove("kid")),
  // A key that the token brings along is nobody's.
  onToken("jwk", (jwt, random, { proof }) => {
    jwt.header.set("jwk", proof.header.get("jwk"));
    if (random.chance(0.5)) [jwt.key, jwt.algorithm] = [proof.key, proof.algorithm];
  }),
];
