import { describe, expect, it } from 'vitest';
import { counter, histogram, info, reading } from '../../src/serve/prometheus.ts';

describe('the text format of Prometheus', () => {
  it('has a line a series, with help and type, and escapes what labels hold', () => {
    const requests = counter('requests_total', 'Requests.');
    requests.add({ route: 'predict', status: '200' });
    requests.add({ route: 'predict', status: '200' });
    requests.add({ route: 'a"b\\c\nd', status: '404' });
    expect(requests.text()).toBe(
      [
        '# HELP requests_total Requests.',
        '# TYPE requests_total counter',
        'requests_total{route="predict",status="200"} 2',
        'requests_total{route="a\\"b\\\\c\\nd",status="404"} 1',
        '',
      ].join('\n'),
    );
  });

  it('has cumulative buckets, their sum and their count', () => {
    const seconds = histogram('seconds', 'Seconds.', [0.1, 1]);
    for (const value of [0.0625, 0.5, 0.5, 4]) seconds.observe(value);
    expect(seconds.text()).toBe(
      [
        '# HELP seconds Seconds.',
        '# TYPE seconds histogram',
        'seconds_bucket{le="0.1"} 1',
        'seconds_bucket{le="1"} 3',
        'seconds_bucket{le="+Inf"} 4',
        'seconds_sum 5.0625',
        'seconds_count 4',
        '',
      ].join('\n'),
    );
  });

  it('tells what there is by labels', () => {
    const heads = info('head_info', 'Heads.', () => [{ head: 'a', engine: 'openvino' }]);
    expect(heads.text()).toBe(
      '# HELP head_info Heads.\n# TYPE head_info gauge\nhead_info{head="a",engine="openvino"} 1\n',
    );
  });

  it('reads a gauge when it is asked for', () => {
    let value = 1;
    const gauge = reading('waiting', 'Images.', () => value);
    value = 7;
    expect(gauge.text()).toBe('# HELP waiting Images.\n# TYPE waiting gauge\nwaiting 7\n');
  });
});
