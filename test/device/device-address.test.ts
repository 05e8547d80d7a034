import { describe, expect, it } from 'vitest';
import { addressText, parseDeviceAddress } from '../../src/device/device-address.ts';

describe('the address of a device', () => {
  it.each([
    ['ssh://pi@raspberrypi.local', { host: 'raspberrypi.local', user: 'pi', port: undefined }],
    ['ssh://board', { host: 'board', user: undefined, port: undefined }],
    ['ssh://pi@10.0.0.7:2222/', { host: '10.0.0.7', user: 'pi', port: 2222 }],
    ['ssh://pi@[fe80::1%eth0]:22', { host: 'fe80::1%eth0', user: 'pi', port: 22 }],
  ])('%s', (text, address) => {
    expect(parseDeviceAddress(text)).toEqual(address);
  });

  it('is named without its user', () => {
    expect(addressText(parseDeviceAddress('ssh://pi@board:2222'))).toBe('ssh://board:2222');
    expect(addressText(parseDeviceAddress('ssh://pi@[::1]'))).toBe('ssh://[::1]');
  });

  it.each([
    'pi@board',
    'http://board',
    'ssh://',
    'ssh://-oProxyCommand=touch%20x',
    'ssh://-oProxyCommand=x@board',
    'ssh://board/path',
    'ssh://board:0',
    'ssh://board:65536',
    'ssh://board:22x',
    'ssh://bo ard',
    'ssh://board;reboot',
    'ssh://$(reboot)',
    'ssh://`reboot`@board',
    'ssh://board\n',
    'ssh://[board]',
    'ssh://a@b@c',
  ])('is refused: %j', (text) => {
    expect(() => parseDeviceAddress(text)).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  it('never repeats a password', () => {
    const refused = () => parseDeviceAddress('ssh://pi:secret@board');
    expect(refused).toThrow(/has a password in it/);
    expect(refused).not.toThrow(/secret/);
  });
});
