#!/usr/bin/env python3
"""Replays what a real node was asked and compares the stand-in's answers.

Usage: conformance.py FAKE_NODE RECORDINGS

Compared are the HTTP status, the error's code and message, the names and types
of all members, the lengths of lists, and the values that do not depend on keys,
hashes and times. Identifiers of the recording are translated to the stand-in's
as they appear. Each recording is compared or stands in NOT_COMPARED with a
reason; one that is in neither, or a difference, fails.
"""

import ast
import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import tempfile

PASSWORD = 'conformance'

# name -> why it cannot be compared.
NOT_COMPARED = {
    '37-getdiagnostics': 'binary internals of the real node',
    '47-publish-20MB-ERR': 'no answer recorded: the connection broke',
    '47-publish-35MB-ERR': 'no answer recorded: the connection broke',
    '49-limits': 'a summary; Connections() asks the same',
    '50-http-connection-behaviour': 'a summary; Connections() asks the same',
    '60-measurements': 'times of the real node',
    '62-sustained': 'times of the real node',
    '72-daemon-down-ERR': 'no answer recorded: nothing listened',
    '74-restart-durability': 'a summary of kill -9; fake_node_test restarts',
    '75-kill-in-flight-and-stop-time': 'a summary of kill -9',
    '81-nodeB-getpeerinfo': 'the stand-in has no peers',
    '84-two-node-results': 'a summary of a reorganisation; fake_node_test',
    '87-resend-and-conflict': 'a summary of a conflict; fake_node_test',
    '89-deadlock-after-gettxoutdata': 'a summary of a hung node',
    '93-scratch-chain-results': 'a summary of times',
}

# Calls that change something come before those that look, in one group of
# recordings; groups that need another order say it.
WRITES = ('create', 'subscribe', 'publish', 'getnewaddress', 'grant', 'pause')
ORDER = {
    '16': ['16-publish-text', '16-publish-json-fidelity'],
    '17': ['17-publish-multikeys'] +
          [f'17-publish-{n}-keys{form}' for n in (3, 4, 5, 6, 8, 16)
           for form in ('', '-hex')] +
          ['17-publish-dup-keys-in-array', '17-publish-empty-key',
           '17-publish-empty-data'],
    '35': ['35-signmessage', '35-signmessage-foreign-ERR'],
    '36': ['36-getnewaddress-2', '36-publishfrom-no-write-ERR',
           '36-grant-stream-write', '36-publishfrom-no-send-permission-ERR',
           '36-grant-send', '36-grant-unknown-permission-ERR',
           '36-publishfrom-granted', '36-listpermissions-stream',
           '36-listpermissions-stream-write-verbose',
           '36-listpermissions-unknown-stream-ERR', '36-revoke-stream-write'],
    '42': ['42-invalid-utf8', '42-invalid-utf8-readback'],
    '46': ['46-publish-data-json-scalar', '46-publish-data-json-string',
           '46-publish-data-json-array'],
    '81': ['81-nodeB-liststreamkeyitems-not-subscribed-ERR',
           '81-nodeB-subscribe'],
    '82': ['82-nodeB-publish-write-without-send-ERR', '82-grant-B-write',
           '82-grant-B-send-mine', '82-nodeB-publish-granted',
           '82-nodeA-sees-B-item'],
    '83': ['83-reorg-item-before', '83-reorg-item-on-B', '83-pause-incoming',
           '83-reorg-item-after-reorg', '83-reorg-getrawtransaction-after',
           '83-getchaintips-after-reorg', '83-reorg-item-reconfirmed'],
    '86': ['86-conflict-item-A-before-heal'],
    '91': ['91-setlastblock-without-pause-ERR', '91-item-before-rollback',
           '91-pause-incoming-mining', '91-setlastblock',
           '91-item-after-rollback', '91-getblockchaininfo-after-rollback',
           '91-getchaintips-after-rollback', '91-getrawmempool-after-rollback',
           '91-publish-while-rolled-back', '91-resume', '91-item-after-remine'],
    '92': ['92-clearmempool-without-pause-ERR', '92-clearmempool',
           '92-item-after-clearmempool', '92-getstreamitem-after-clearmempool',
           '92-item-8s-after-resume', '92-getstreamitem-8s-after-resume',
           '92-publish-after-clearmempool', '92-item-after-clear-published'],
}

# Members whose values must be the same after translation.
EXACT = {
    'data', 'keys', 'key', 'offchain', 'available', 'valid', 'vout',
    'confirmed', 'subscribed', 'restrict', 'details', 'isvalid',
    'ismine', 'type', 'startblock', 'endblock', 'status', 'format',
    'protocolversion', 'nodeversion', 'version', 'chainname', 'protocol',
    'initialized', 'setupblocks', 'confirmations', 'publishers', 'publisher',
}
# Counts of what happened besides the recordings.
NOT_EXACT = {
    '37-listunspent', '30-liststreamitems-local-ordering',
    '86-conflict-item-A-before-heal', '86-conflict-item-A-after-heal',
    '86-conflict-item-A-nonverbose', '86-conflict-item-A-on-B',
    '86-conflict-liststreams', '86-conflict-liststreamkeys',
    '86-conflict-liststreamitems-contains', '81-nodeB-liststreamkeyitems',
    '91-item-before-rollback', '91-item-after-remine', '46-getstreamitem-txid-upper',
    '92-item-8s-after-resume', '92-getstreamitem-8s-after-resume',
    '42-invalid-utf8-readback', '27-getblock-verbosity-2',
    '27-getblock-verbosity-3', '27-getblock-verbosity-4',
}
ID = re.compile(r'^([0-9a-f]{64}|1[1-9A-HJ-NP-Za-km-z]{33,39}|\d+-\d+-\d+)$')


class Node:
  def __init__(self, binary, *flags):
    self.process = subprocess.Popen(
        [binary, '--target-block-time', '0', '--password', PASSWORD, *flags],
        stdout=subprocess.PIPE, text=True)
    words = self.process.stdout.readline().split()
    self.port = int(words[1].rsplit(':', 1)[1])
    self.control_port = int(words[3].rsplit(':', 1)[1].split('/')[0])

  def control(self, **command):
    connection = http.client.HTTPConnection('127.0.0.1', self.control_port)
    connection.request('POST', '/control', json.dumps(command))
    answer = json.loads(connection.getresponse().read())
    assert answer['ok'], (command, answer)
    return answer

  def ask(self, method, path, headers, body):
    connection = http.client.HTTPConnection('127.0.0.1', self.port)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    return response.status, response.getheaders(), response.read()

  def call(self, name, *params):
    token = base64.b64encode(f'multichainrpc:{PASSWORD}'.encode()).decode()
    status, _, body = self.ask('POST', '/', {'Authorization': 'Basic ' + token},
                               json.dumps({'method': name, 'params': params,
                                           'id': 1}).encode())
    assert status == 200, (name, params, body)
    return json.loads(body)['result']

  def stop(self):
    self.process.terminate()
    self.process.stdout.close()
    return self.process.wait()


class Members(list):
  """An object as its members in order; a name may come twice."""


def Parse(text):
  return json.loads(text, object_pairs_hook=Members)


class Replay:
  def __init__(self, binary, folder):
    self.binary = binary
    self.folder = folder
    self.ids = {}
    self.faults = []
    self.data = tempfile.TemporaryDirectory()
    self.nodes = {'A': Node(binary, '--data-dir', self.data.name)}
    self.compared = 0

  def Translated(self, text):
    for old, new in self.ids.items():
      text = text.replace(old, new).replace(old.upper(), new.upper()) \
          if len(old) == 64 else text.replace(old, new)
    return text

  def Learn(self, recorded, ours):
    if isinstance(recorded, str) and isinstance(ours, str):
      if ID.match(recorded) and ID.match(ours):
        if self.ids.setdefault(recorded, ours) != ours:
          self.ids[recorded] = ours
    elif type(recorded) is type(ours) and isinstance(recorded, (list, tuple)):
      for one, other in zip(recorded, ours):
        self.Learn(one, other)

  def Compare(self, name, path, recorded, ours, exact):
    def Differ(what):
      self.faults.append(f'{name}{path}: {what}')
    def Kind(value):
      if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
      if isinstance(value, (int, float)):
        return 'number'
      return 'object' if isinstance(value, Members) else 'array'
    if Kind(recorded) != Kind(ours):
      return Differ(f'{Kind(ours)} instead of {Kind(recorded)}')
    if isinstance(recorded, Members):
      if [n for n, _ in recorded] != [n for n, _ in ours]:
        return Differ(f'members {[n for n, _ in ours]} instead of '
                      f'{[n for n, _ in recorded]}')
      for (member, one), (_, other) in zip(recorded, ours):
        self.Compare(name, f'{path}.{member}', one, other,
                     exact or (member in EXACT and name not in NOT_EXACT and
                               not (member == 'vout' and
                                    isinstance(one, list))))
    elif isinstance(recorded, list):
      if len(recorded) != len(ours) and name not in NOT_EXACT and \
          path.split('.')[-1] not in ('result', 'tx'):
        return Differ(f'{len(ours)} elements instead of {len(recorded)}')
      if (recorded == []) != (ours == []) and name not in NOT_EXACT:
        return Differ(f'{len(ours)} elements instead of {len(recorded)}')
      for i, (one, other) in enumerate(zip(recorded, ours)):
        self.Compare(name, f'{path}[{i}]', one, other, exact)
    elif exact and isinstance(recorded, str):
      if len(recorded) > 15000:  # recorded with its middle left out
        recorded, ours = recorded[:1000], ours[:1000]
      if self.Translated(recorded) != ours:
        Differ(f'{ours!r} instead of {recorded!r}')
    elif exact and recorded != ours:
      Differ(f'{ours!r} instead of {recorded!r}')

  # --- what the recordings presume -----------------------------------------

  def NodeFor(self, name):
    if '-on-B' in name or (name.startswith('81-nodeB') or
                           name.startswith('82-nodeB')):
      return self.nodes['B']
    if name[:2] in ('91', '92'):
      return self.nodes['S']
    return self.nodes['0'] if name[:2] == '90' else self.nodes['A']

  def Sync(self, source, target):
    with tempfile.NamedTemporaryFile() as file:
      self.nodes[source].control(fault='export', file=file.name)
      self.nodes[target].control(fault='import', file=file.name)

  def Before(self, name):
    a = self.nodes['A']
    if name in ('00-startup-01', '70-restart-k9a-01', '73-start-01',
                '80-nodeB-start-01'):
      a.control(fault='warm_up', ms=600000)
    elif name == '26-getrawtransaction-verbose-confirmed':
      a.control(fault='mine')
    elif name == '61-liststreamkeyitems-duplicate-key-confirmed':
      a.control(fault='mine')
      for i in range(4):
        a.call('publish', 'checkpoints', 'dup-order', {'json': {'i': i}})
      a.control(fault='mine')
    elif name == '42-invalid-utf8-readback':
      a.control(fault='mine')
    elif name == '81-nodeB-liststreamkeyitems-not-subscribed-ERR':
      a.control(fault='mine')
      self.nodes['B'] = Node(self.binary, '--wallet', 'B', '--initial-blocks',
                             '0')
      self.Sync('A', 'B')
      self.ids['1VJzfqGidNH2btXVD51ANG8Um87xyDcrUQe5YY'] = \
          self.nodes['B'].call('getaddresses')[0]
    elif name == '80-grant-connect':
      self.ids['1VJzfqGidNH2btXVD51ANG8Um87xyDcrUQe5YY'] = \
          a.call('getnewaddress')
    elif name == '82-nodeB-publish-granted':
      self.Sync('A', 'B')
    elif name == '82-nodeA-sees-B-item':
      self.Sync('B', 'A')
    elif name == '83-reorg-item-before':
      a.control(fault='mine')
      self.ids['3e1907129f8f3995cc4b1d2f0c3751ea74ca1101604968a120f36f570f43a82e'] = \
          a.call('publishfrom', a.call('getaddresses')[0], 'checkpoints',
                 'reorg-1', {'json': {'who': 'A'}})
      a.control(fault='mine')
    elif name == '83-reorg-item-after-reorg':
      a.call('resume', 'incoming')
      a.control(fault='reorg', depth=1, fate='held')
    elif name == '83-reorg-item-reconfirmed':
      a.control(fault='release')
      a.control(fault='mine')
    elif name == '86-conflict-item-A-before-heal':
      address = a.call('getaddresses')[0]
      a.call('publishfrom', address, 'checkpoints', 'conf-A',
             {'json': {'who': 'A'}})
      a.control(fault='mine')
      self.ids['bce73892013730dfee07cd852d750c0088118351d4fba30f48d8d483519bc978'] = \
          a.call('publishfrom', address, 'checkpoints', 'conf-A',
                 {'json': {'who': 'A'}})
      self.Sync('A', 'B')
    elif name == '86-conflict-getrawtransaction':
      a.control(fault='conflict', txid=self.ids[
          'bce73892013730dfee07cd852d750c0088118351d4fba30f48d8d483519bc978'])
      address = a.call('getaddresses')[0]
      for _ in range(10):
        a.call('publishfrom', address, 'checkpoints', 'conf-fill', 'ab')
      a.control(fault='mine')
      self.Sync('A', 'B')
    elif name == '89-gettxoutdata-bad-vout-on-wallet-tx-ERR':
      self.ids['aeed2eaf481371c4dd641d7fb5c93935adf23272174e00c0f7438663f663c178'] = \
          a.call('publish', 'checkpoints', 'x', {'json': {'x': 1}})
    elif name == '90-create-stream-before-first-block-ERR':
      self.nodes['0'] = Node(self.binary, '--chain-name', 'scratch',
                             '--initial-blocks', '0')
    elif name == '91-setlastblock-without-pause-ERR':
      s = self.nodes['S'] = Node(self.binary, '--chain-name', 'scratch',
                                 '--initial-blocks', '59')
      s.call('create', 'stream', 's', False)
      s.call('subscribe', 's')
      self.after_idle = s.call('publish', 's', 'after-idle', 'ab')
      # As recorded: confirmed in block 60 of 62.
      s.control(fault='mine', count=3)
    elif name == '91-item-after-remine':
      self.nodes['S'].control(fault='mine', count=6)
    elif name == '92-clearmempool':
      s = self.nodes['S']
      s.call('pause', 'incoming,mining')
      self.ids['d304f0e86fbca5a45573e17e207feb38f1198dd1eb30c2295f1d545e09b62f1d'] = \
          s.call('publish', 's', 'dropme', 'ab')
    elif name == '92-item-8s-after-resume':
      self.nodes['S'].call('resume', 'incoming,mining')
      self.nodes['S'].control(fault='mine', count=3)
    elif name == '92-item-after-clear-published':
      self.nodes['S'].control(fault='mine')

  def After(self, name):
    if name in ('00-startup-01', '70-restart-k9a-01', '73-start-01',
                '80-nodeB-start-01'):
      self.nodes['A'].control(fault='warm_up', ms=0)
    elif name == '71-stop':
      if self.nodes['A'].process.wait() != 0:
        self.faults.append('71-stop: the node did not end well')
      self.nodes['A'] = Node(self.binary, '--data-dir', self.data.name)

  def Body(self, name, request):
    """The body; the long ones were recorded with their middle left out."""
    def Call(method, *params):
      return json.dumps({'jsonrpc': '1.0', 'id': 1, 'method': method,
                         'params': params}).encode()
    match = re.match(r'47-publish-(\d+)-bytes', name)
    if match:
      size = int(match.group(1))
      key = 'k-max' if size > 2000000 else f'k-sz-{size}'
      return Call('publish', 'checkpoints', key, 'ab' * size)
    built = {
        '47-json-depth-1000':
            lambda: json.dumps({'method': 'publish', 'params': [
                'checkpoints', 'k-deep', {'json': 'DEEP'}], 'id': 1}).replace(
                    '"DEEP"', '{"a":' * 1000 + '1' + '}' * 1000).encode(),
        '47-publish-10MB-ERR':
            lambda: Call('publish', 'checkpoints', 'k-max', 'ab' * 10000000),
        '47-publish-json-20k':
            lambda: Call('publish', 'checkpoints', 'k-json20k',
                         {'json': {'a': 'x' * 20000}}),
        '47-publish-text-20k':
            lambda: Call('publish', 'checkpoints', 'k-text20k',
                         {'text': 'x' * 20000}),
        '47-publish-json-over-max-ERR':
            lambda: Call('publish', 'checkpoints', 'k-max',
                         {'json': {'a': 'x' * 2097152}}),
        '47-publish-text-over-max-ERR':
            lambda: Call('publish', 'checkpoints', 'k-max',
                         {'text': 'x' * 2097153}),
        '47-publish-offchain-3MB':
            lambda: Call('publish', 'checkpoints', 'k-off3', 'ab' * 3000000,
                         'offchain'),
        '47-publishmulti-total-over-max-ERR':
            lambda: Call('publishmulti', 'checkpoints',
                         [{'key': f'big{i}', 'data': 'ab' * 1500000}
                          for i in range(4)]),
    }
    if name in built:
      return built[name]()
    body = request.get('body') or ''
    if body.startswith("b'"):
      return ast.literal_eval(body)
    return self.Translated(body).encode()

  def One(self, name):
    with open(os.path.join(self.folder, name + '.json')) as file:
      pair = json.load(file)
    self.Before(name)
    request = pair['request']
    headers = dict(request.get('headers') or {'Authorization': ''})
    headers.pop('Host', None)
    if 'Authorization' in headers and '40-' not in name:
      token = base64.b64encode(f'multichainrpc:{PASSWORD}'.encode()).decode()
      headers['Authorization'] = 'Basic ' + token
    status, _, body = self.NodeFor(name).ask(
        request.get('http_method', 'POST'), request.get('path', '/'), headers,
        self.Body(name, request))
    self.After(name)
    self.compared += 1
    recorded = pair.get('response_body')
    if recorded is None:
      recorded = ast.literal_eval(pair['response_body_python_bytes']).decode()
    if status != pair['http_status']:
      self.faults.append(f'{name}: HTTP {status} instead of '
                         f'{pair["http_status"]}: {body[:200]}')
      return
    if not recorded.startswith(('{', '[')):
      if body.decode() != recorded:
        self.faults.append(f'{name}: body {body!r} instead of {recorded!r}')
      return
    if not body.endswith(b'\n'):
      self.faults.append(f'{name}: the body does not end with a line feed')
    ours = Parse(body)
    try:
      theirs = Parse(recorded)
    except json.JSONDecodeError:
      return  # recorded with its middle left out: status and form only
    if name.startswith('46-publish-too-') or name == '37-help-method':
      return  # help texts name the port
    self.Learn(theirs, ours)
    exact = isinstance(theirs, Members) and dict(theirs).get('error') is not None
    self.Compare(name, '', theirs, ours, exact)

  def Connections(self):
    """What the summaries 49 and 50 say about HTTP."""
    token = base64.b64encode(f'multichainrpc:{PASSWORD}'.encode())
    body = b'{"method":"getblockcount","params":[],"id":1}'
    start = b'POST / HTTP/1.1\r\nAuthorization: Basic ' + token + b'\r\n'
    whole = start + b'Content-Length: %d\r\n\r\n' % len(body) + body
    cases = [
        ('three pipelined requests', whole * 3, b'HTTP/1.1 200 OK', 3),
        ('a chunked request', start + b'Transfer-Encoding: chunked\r\n\r\n' +
         b'%x\r\n' % len(body) + body + b'\r\n0\r\n\r\n',
         b'HTTP/1.1 200 OK', 1),
        ('Expect: 100-continue', start + b'Expect: 100-continue\r\n'
         b'Content-Length: 9\r\n\r\n', b'HTTP/1.1 100 Continue', 1),
        ('a body of 33554433 bytes', start +
         b'Content-Length: 33554433\r\n\r\n', b'HTTP/1.1 413', 1),
        ('headers of 8192 bytes', start + b'X: ' + b'a' * 8192 + b'\r\n\r\n',
         b'HTTP/1.1 400', 1),
        ('no Content-Length', start + b'\r\n', b'"code":-32700', 1),
        ('OPTIONS', start.replace(b'POST', b'OPTIONS') + b'\r\n',
         b'HTTP/1.1 501', 1),
        ('HEAD', start.replace(b'POST', b'HEAD') + b'\r\n',
         b'HTTP/1.1 405', 1),
        ('HTTP/1.0', whole.replace(b'HTTP/1.1', b'HTTP/1.0'),
         b'HTTP/1.0 200 OK', 1),
    ]
    for name, sent, expected, count in cases:
      with socket.create_connection(('127.0.0.1', self.nodes['A'].port),
                                    timeout=20) as connection:
        connection.sendall(sent)
        got = b''
        while got.count(expected) < count:
          more = connection.recv(65536)
          if not more:
            self.faults.append(f'{name}: {got!r} instead of {expected!r}')
            break
          got += more

  def Run(self):
    names = sorted(f[:-5] for f in os.listdir(self.folder)
                   if f.endswith('.json'))
    def Place(name):
      group = name[:2]
      order = ORDER.get(group, [])
      if name in order:
        return (group, 0, order.index(name), name)
      writes = name[3:].replace('nodeB-', '').startswith(WRITES)
      return (group, 1, 0 if writes and '-ERR' not in name else 1, name)
    left = 0
    for name in sorted(names, key=Place):
      if name in NOT_COMPARED:
        left += 1
        continue
      try:
        self.One(name)
      except Exception as error:  # the next recordings still say something
        self.faults.append(f'{name}: {type(error).__name__}: {error}')
    self.Connections()
    for node in self.nodes.values():
      if node.stop() != 0:
        self.faults.append('a node did not end well')
    print(f'{len(names)} recordings: {self.compared} compared, {left} not')
    for name, reason in NOT_COMPARED.items():
      print(f'  not compared: {name}: {reason}')
    if self.compared + left != len(names):
      self.faults.append('a recording is neither compared nor listed')
    for fault in self.faults:
      print('DIFFERENT', fault)
    return 1 if self.faults else 0


if __name__ == '__main__':
  sys.exit(Replay(sys.argv[1], sys.argv[2]).Run())
